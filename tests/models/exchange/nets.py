"""What the tests of the exchange share: torch modules in float64 with lively statistics, and autograd's own step."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from counterstream.engine.simulator import Simulator

Array = np.ndarray


def lively(module: nn.Module, seed: int = 0) -> nn.Module:
    """The module in float64; statistics, gains and biases are no longer at their start."""
    generator = torch.Generator().manual_seed(seed)
    module.double()
    with torch.no_grad():
        for layer in module.modules():
            if isinstance(layer, nn.Conv2d) and layer.bias is not None:
                layer.bias.normal_(0, 0.1, generator=generator)
            if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
                layer.running_mean.normal_(0, 0.1, generator=generator)
                layer.running_var.uniform_(0.5, 1.5, generator=generator)
                if layer.affine:
                    layer.weight.uniform_(0.5, 1.5, generator=generator)
                    layer.bias.normal_(0, 0.1, generator=generator)
    return module


def images(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape)


def answer(module: nn.Module, batch: Array) -> Array:
    """What a module in evaluation mode returns."""
    with torch.no_grad():
        return module.eval()(torch.from_numpy(batch)).numpy()


def objective(loss: str, answer: torch.Tensor, target: Array) -> torch.Tensor:
    """Summed over the output's neurons, averaged over the batch. `answer` is what `to_torch` returns."""
    codes = torch.from_numpy(np.asarray(target))
    match loss:
        case "cross_entropy":
            return functional.cross_entropy(answer, codes)
        case "squared":
            return ((answer - codes) ** 2).sum() / 2 / len(answer)
        case _:
            return functional.binary_cross_entropy(answer, codes, reduction="sum") / len(answer)


def sgd(module: nn.Module, rate: float, momentum: float = 0.0, decay: float = 0.0) -> torch.optim.SGD:
    """SGD whose decay is on the weights alone: gains and biases have rules without any."""
    weights = [p for p in module.parameters() if p.dim() > 1]
    others = [p for p in module.parameters() if p.dim() == 1]
    groups = [{"params": weights, "weight_decay": decay}, {"params": others}]
    return torch.optim.SGD(groups, lr=rate, momentum=momentum)


def descend(module: nn.Module, optimizer: torch.optim.Optimizer, loss: str, batch: Array, target: Array) -> float:
    """One step of autograd in training mode. Returns the loss."""
    optimizer.zero_grad()
    found = objective(loss, module.train()(torch.from_numpy(batch)), target)
    found.backward()
    optimizer.step()
    return found.item()


def without_dropout(module: nn.Module) -> nn.Module:
    """The module with every probability of dropping out set to 0."""
    for layer in module.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0
    return module


class Mask(nn.Module):
    """Dropout by a given mask, in training mode."""

    def __init__(self, mask: Array, p: float) -> None:
        super().__init__()
        self.mask, self.p = torch.from_numpy(mask), p

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.mask / (1 - self.p) if self.training else x


def arrays(state: Mapping[str, torch.Tensor]) -> dict[str, Array]:
    return {key: value.numpy() for key, value in state.items()}


def forward_states(sim: Simulator) -> Iterator[str]:
    """Names of the states of the forward stream, optimizers' traces left out."""
    for name in sim.compiled.states:
        kind, _, subject = name.partition("/")
        if not kind.startswith("trace") and not subject.endswith("~"):
            yield name


def assert_same(found: Mapping[str, Any], expected: Mapping[str, Any], tolerance: float) -> None:
    """Equal keys and shapes, and equal numbers relative to the largest of each array."""
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        size = np.abs(np.asarray(value)).max(initial=0.0) or 1.0
        np.testing.assert_allclose(
            np.asarray(found[key]), np.asarray(value), rtol=0, atol=tolerance * size, err_msg=key
        )
