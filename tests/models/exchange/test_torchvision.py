"""The stock residual networks against torchvision's: parameters, logits, training, and weights in both directions."""

from collections.abc import Mapping

import numpy as np
import pytest
import torch
import torchvision
from torch import nn
from torchvision.models.resnet import Bottleneck, ResNet

import counterstream as cs
from counterstream.models.exchange import ExchangeError, Network, as_torchvision, from_torch, to_torch

from .nets import Array, answer, arrays, assert_same, descend, forward_states, images, lively, sgd

RATE, MOMENTUM, DECAY = 0.02, 0.9, 0.01
DEPTHS = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")


def stock(name: str, side: int = 224, learning: str = "backprop", **options: object) -> cs.Circuit:
    parameters = {"decay": DECAY} if learning == "backprop" else {}
    return cs.load(name, learning=learning, options={"size": [3, side, side], **options}, parameters=parameters)


def torch_twin(name: str, seed: int = 0, classes: int = 1000) -> nn.Module:
    torch.manual_seed(seed)
    return lively(getattr(torchvision.models, name)(num_classes=classes), seed)


def simulate(network: Network, dtype: str = "float64") -> cs.Simulator:
    how = cs.Consolidation(rate=RATE, momentum=MOMENTUM)
    return cs.compile(network.circuit, dtype=dtype, consolidation=how, state=network.state)


def softmax(logits: Array) -> Array:
    return torch.from_numpy(logits).softmax(1).numpy()


@pytest.mark.parametrize(("name", "parameters"), [("resnet18", 11_689_512), ("resnet50", 25_557_032)])
def test_forward_parameters(name: str, parameters: int) -> None:
    sim = cs.compile(stock(name))
    counted = [n for n in forward_states(sim) if n.startswith(("weights/", "gain/", "bias/"))]
    assert sum(sim.get_state(n).size for n in counted) == parameters


@pytest.mark.parametrize("name", DEPTHS)
def test_every_key_of_torchvision_has_a_state_of_its_shape(name: str) -> None:
    with torch.device("meta"):
        expected = getattr(torchvision.models, name)().state_dict()
    assert as_torchvision(stock(name)).shapes == {key: tuple(value.shape) for key, value in expected.items()}


@pytest.mark.slow
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-4), ("float64", 1e-10)])
@pytest.mark.parametrize(("name", "side", "samples"), [("resnet18", 224, 2), ("resnet50", 64, 8)])
def test_logits_equal_in_evaluation_and_in_training(
    name: str, side: int, samples: int, dtype: str, tolerance: float
) -> None:
    """Statistics of the last stage are over 98 and 32 values a channel; of far fewer, rounding would be amplified. Both
    lay out images channels last: torch's sums over a batch round differently in other layouts.
    """
    twin = torch_twin(name).to(getattr(torch, dtype), memory_format=torch.channels_last)
    network = as_torchvision(stock(name, side)).load(twin.state_dict())
    sim = simulate(network, dtype)
    batch = images(samples, 3, side, side).astype(dtype)
    logits = answer(twin, batch)
    found = answer(to_torch(sim), batch)
    np.testing.assert_allclose(found, logits, rtol=0, atol=tolerance * np.abs(logits).max())
    np.testing.assert_allclose(sim.predict(batch), softmax(logits), rtol=0, atol=tolerance)
    with torch.no_grad():
        trained = twin.train()(torch.from_numpy(batch).contiguous(memory_format=torch.channels_last)).numpy()
    sim.rate = 0.0  # look, and let the statistics move
    sim.step(batch, np.arange(samples))
    current = sim.read("answer.soma") + sim.biases["answer"]
    np.testing.assert_allclose(current, trained, rtol=0, atol=tolerance * np.abs(trained).max())
    assert_same(arrays(network.state_dict(sim)), arrays(twin.state_dict()), tolerance)


def test_weights_go_out_as_they_came_in() -> None:
    twin = torch_twin("resnet18")
    network = as_torchvision(stock("resnet18", 32)).load(twin.state_dict())
    back = network.state_dict(simulate(network))
    assert list(back) == list(as_torchvision(stock("resnet18")).load(twin.state_dict()).state_dict())
    other = torch_twin("resnet18", seed=1)
    other.load_state_dict(back, strict=True)
    assert_same(arrays(other.state_dict()), arrays(twin.state_dict()), 0)
    assert_same(arrays(to_torch(simulate(network), network).state_dict()), arrays(twin.state_dict()), 0)


class Slim(ResNet):
    """Torchvision's network with a part of its channels, as the option `width` has it."""

    def __init__(self, part: int, layers: list[int], classes: int) -> None:
        self.part = part
        super().__init__(Bottleneck, layers, num_classes=classes)
        self.conv1 = nn.Conv2d(3, 64 // part, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64 // part)
        self.fc = nn.Linear(512 * 4 // part, classes)

    def _make_layer(self, block: type, planes: int, blocks: int, stride: int = 1, dilate: bool = False) -> nn.Module:
        if planes == 64:
            self.inplanes = 64 // self.part
        return super()._make_layer(block, planes // self.part, blocks, stride, dilate)


def train_both(network: Network, twin: nn.Module, side: int, classes: int, steps: int = 3) -> Mapping[str, Array]:
    """What three steps leave in the circuit's weights, by the module's keys; the module trains along."""
    sim, optimizer = simulate(network), sgd(twin, RATE, MOMENTUM, DECAY)
    for step in range(steps):
        batch, target = images(4, 3, side, side, seed=step), np.arange(4) % classes
        loss = descend(twin, optimizer, "cross_entropy", batch, target)
        assert sim.step(batch, target)["loss"] == pytest.approx(loss, rel=1e-9)
    return arrays(network.state_dict(sim))


@pytest.mark.slow
def test_three_steps_of_resnet18_equal_autograd() -> None:
    twin = torch_twin("resnet18", classes=10)
    network = as_torchvision(stock("resnet18", 64, classes=10)).load(twin.state_dict())
    assert_same(train_both(network, twin, 64, 10), arrays(twin.state_dict()), 1e-8)


def test_three_steps_of_a_slim_resnet50_equal_autograd() -> None:
    torch.manual_seed(0)
    twin = lively(Slim(4, [3, 4, 6, 3], classes=5))
    network = as_torchvision(stock("resnet50", 64, classes=5, width=0.25)).load(twin.state_dict())
    assert_same(train_both(network, twin, 64, 5), arrays(twin.state_dict()), 1e-8)


class PreActivation(nn.Module):
    """A residual block of the second form (He et al. 2016, Identity mappings), with bottlenecks or without.

    Submodules are called as projections and populations are in the circuit.
    """

    def __init__(self, inside: int, channels: int, stride: int, bottleneck: bool, shortcut: bool) -> None:
        super().__init__()
        outside = 4 * channels if bottleneck else channels
        sizes = [(inside, channels, 1), (channels, channels, 3), (channels, outside, 1)]
        sizes = sizes if bottleneck else [(inside, channels, 3), (channels, channels, 3)]
        norms = ("entry", "narrow", "hidden") if bottleneck else ("entry", "hidden")
        strided = 1 if bottleneck else 0
        self.norms = norms
        for index, ((source, target, kernel), norm) in enumerate(zip(sizes, norms, strict=True)):
            step = stride if index == strided else 1
            conv = nn.Conv2d(source, target, kernel, stride=step, padding=kernel // 2, bias=False)
            self.add_module(norm, nn.BatchNorm2d(source))
            self.add_module(f"conv{index + 1}", conv)
        self.downsample = nn.Conv2d(inside, outside, 1, stride=stride, bias=False) if shortcut else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        entry = self.entry(x).relu()
        skip = x if self.downsample is None else self.downsample(entry)
        x = self.conv1(entry)
        for index, norm in enumerate(self.norms[1:]):
            x = getattr(self, f"conv{index + 2}")(getattr(self, norm)(x).relu())
        return x + skip


class ResNetV2(nn.Module):
    """The pre-activation form with the small stem."""

    def __init__(self, depths: list[int], width: int, bottleneck: bool, classes: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, padding=1, bias=False)
        inside, blocks = width, []
        for stage, depth in enumerate(depths):
            channels = width * 2**stage
            outside = 4 * channels if bottleneck else channels
            for block in range(depth):
                stride = 2 if stage and not block else 1
                blocks.append(PreActivation(inside, channels, stride, bottleneck, shortcut=outside != inside))
                inside = outside
        self.blocks = nn.Sequential(*blocks)
        self.top = nn.BatchNorm2d(inside)
        self.fc = nn.Linear(inside, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(self.top(self.blocks(self.conv1(x))).relu().mean((2, 3)))


@pytest.mark.parametrize(
    ("name", "depths", "bottleneck"), [("resnet18_v2", [2, 2, 2, 2], False), ("resnet50_v2", [3, 4, 6, 3], True)]
)
def test_three_steps_of_the_second_form_equal_autograd(name: str, depths: list[int], bottleneck: bool) -> None:
    torch.manual_seed(0)
    twin = lively(ResNetV2(depths, 16, bottleneck, classes=5))
    circuit = stock(name, 32, classes=5, width=0.25, stem="small")
    steps = {key: value for key, value in twin.state_dict().items() if key.endswith("num_batches_tracked")}
    network = Network(circuit, second_form_names(circuit), arrays(steps)).load(twin.state_dict())
    assert_same(train_both(network, twin, 32, 5), arrays(twin.state_dict()), 1e-8)


def second_form_names(circuit: cs.Circuit) -> dict[str, str]:
    """State names to keys of `ResNetV2`."""
    blocks: dict[str, int] = {}
    kinds = {"weights": "weight", "gain": "weight", "running_variance": "running_var"}
    names = {}
    for state in forward_states(cs.compile(circuit)):
        kind, _, subject = state.partition("/")
        *stage, last = subject.split(".")
        place = ".".join(stage)
        place = f"blocks.{blocks.setdefault(place, len(blocks))}." if place.startswith("stage") else ""
        layer = "fc" if last == "answer" else last
        names[state] = f"{place}{layer}.{kinds.get(kind, kind)}"
    return names


def test_from_torch_of_torchvision_gives_the_stock_network() -> None:
    """The same states, in other words: what comes from torchvision is what stands in the file."""
    twin = torch_twin("resnet18", classes=10)
    stock_network = as_torchvision(stock("resnet18", 32, classes=10)).load(twin.state_dict())
    traced = from_torch(twin, (3, 32, 32))
    assert sorted(traced.names.values()) == sorted(stock_network.names.values())
    batch = images(2, 3, 32, 32)
    np.testing.assert_allclose(simulate(traced).predict(batch), simulate(stock_network).predict(batch), atol=1e-14)


@pytest.mark.parametrize("name", ["digits_resnet", "resnet18_v2", "resnet50_v2", "resnet18_post", "resnet50_post"])
def test_other_circuits_are_refused_by_name(name: str) -> None:
    with pytest.raises(ExchangeError, match=r"torchvision has no layer for 'st.*resnet18 to resnet152"):
        as_torchvision(cs.load(name))
