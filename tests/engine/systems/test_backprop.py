"""With exact feedback, the engine's explicit step is autograd's and torch.optim's, to rounding."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import counterstream as cs
from counterstream.engine.simulator import Simulator

from ..nets import Array, all_close, close, residual, residual_batch, simulate

DECAY = 0.02
LOSSES = ("cross_entropy", "squared", "binary_cross_entropy")
CONSOLIDATIONS = {
    "sgd": cs.Consolidation(rate=0.1),
    "momentum": cs.Consolidation(rate=0.1, momentum=0.9),
    "nesterov": cs.Consolidation(rate=0.1, momentum=0.9, nesterov=True),
    "adamw": cs.Consolidation(optimizer="adamw", rate=0.01, betas=(0.8, 0.95), epsilon=1e-6),
}


class Twin(nn.Module):
    """The residual circuit of `nets` as a torch module: same operations, same names, no line in common."""

    weights: ClassVar = {
        "image->stem": "stem",
        "entry1->hidden1": "first",
        "hidden1->sum1": "second",
        "entry2->hidden2": "third",
        "hidden2->sum2": "fourth",
        "shortcut": "shortcut",
        "pooled->answer": "dense",
    }
    normalized = ("entry1", "hidden1", "entry2", "hidden2", "top")

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(2, 4, 3, padding=1, bias=False)
        self.first = nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.second = nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.third = nn.Conv2d(4, 6, 3, padding=1, stride=2, bias=False)
        self.fourth = nn.Conv2d(6, 6, 3, padding=1, bias=False)
        self.shortcut = nn.Conv2d(4, 6, 1, stride=2, bias=False)
        self.dense = nn.Linear(6, 5)
        self.entry1, self.hidden1, self.entry2 = (nn.BatchNorm2d(4) for _ in range(3))
        self.hidden2, self.top = (nn.BatchNorm2d(6) for _ in range(2))
        self.double()

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        x = self.stem(image)
        x = x + self.second(self.hidden1(self.first(self.entry1(x).relu())).relu())
        x = functional.max_pool2d(x, 3, 2, 1)
        entry = self.entry2(x).relu()
        x = self.shortcut(entry) + self.fourth(self.hidden2(self.third(entry)).relu())
        return self.dense(self.top(x).relu().mean((2, 3)))

    def named_states(self) -> Iterator[tuple[str, torch.Tensor]]:
        """Every tensor of the module under the name that the circuit has for it."""
        for label, name in self.weights.items():
            yield f"weights/{label}", getattr(self, name).weight
        yield "bias/answer", self.dense.bias
        for name in self.normalized:
            norm = getattr(self, name)
            yield f"gain/{name}", norm.weight
            yield f"bias/{name}", norm.bias
            yield f"running_mean/{name}", norm.running_mean
            yield f"running_variance/{name}", norm.running_var

    def copy_from(self, sim: Simulator) -> "Twin":
        with torch.no_grad():
            for name, tensor in self.named_states():
                tensor.copy_(torch.from_numpy(sim.get_state(name)))
        return self


def objective(loss: str, answer: torch.Tensor, target: Array) -> torch.Tensor:
    """Summed over the output's neurons, averaged over the batch."""
    match loss:
        case "cross_entropy":
            return functional.cross_entropy(answer, torch.from_numpy(target))
        case "squared":
            return ((answer.tanh() - torch.from_numpy(target)) ** 2).sum() / 2 / len(answer)
        case _:
            codes = torch.from_numpy(target)
            return functional.binary_cross_entropy_with_logits(answer, codes, reduction="sum") / len(answer)


def optimizer(how: cs.Consolidation, twin: Twin) -> torch.optim.Optimizer:
    """Decay on the weights alone: gains and biases have rules without any."""
    parameters = {name: p for name, p in twin.named_states() if isinstance(p, nn.Parameter)}
    weights = [p for name, p in parameters.items() if name.startswith("weights/")]
    others = [p for name, p in parameters.items() if not name.startswith("weights/")]
    groups = [{"params": weights, "weight_decay": DECAY}, {"params": others, "weight_decay": 0.0}]
    if how.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=how.rate, betas=how.betas, eps=how.epsilon)
    return torch.optim.SGD(groups, lr=how.rate, momentum=how.momentum, nesterov=how.nesterov)


def buffers(twin: Twin, optim: torch.optim.Optimizer) -> dict[str, Array]:
    """The optimizer's buffers as traces. Drives point down the gradient, so first moments change their sign."""
    found = {}
    for name, parameter in twin.named_states():
        for kind, trace, sign in (
            ("momentum_buffer", "trace", -1),
            ("exp_avg", "trace", -1),
            ("exp_avg_sq", "trace2", 1),
        ):
            buffer = optim.state.get(parameter, {}).get(kind)
            if buffer is not None:
                found[f"{trace}/engaged/{name}"] = sign * buffer.numpy()
    return found


@pytest.mark.parametrize("how", CONSOLIDATIONS)
@pytest.mark.parametrize("loss", LOSSES)
def test_three_steps_equal_autograd_and_torch_optim(loss: str, how: str) -> None:
    sim = simulate(residual(loss, decay=DECAY), consolidation=CONSOLIDATIONS[how])
    twin = Twin().copy_from(sim)
    optim = optimizer(CONSOLIDATIONS[how], twin)
    for step in range(3):
        images, target = residual_batch(loss, seed=step)
        metrics = sim.step(images, target)
        optim.zero_grad()
        exact = objective(loss, twin(torch.from_numpy(images)), target)
        exact.backward()
        optim.step()
        assert metrics["loss"] == pytest.approx(exact.item(), rel=1e-12)
    expected = {name: tensor.detach().numpy() for name, tensor in twin.named_states()} | buffers(twin, optim)
    found = {name: value for name, value in sim.state_dict().items() if not name.startswith("steps/")}
    assert any(name.startswith("trace/") for name in found) == (how != "sgd")
    all_close(found, expected, 1e-10)


def test_schedules_multiply_the_rate() -> None:
    half, whole = (simulate(residual(), consolidation=cs.Consolidation(rate=rate)) for rate in (0.05, 0.1))
    whole.rate = 0.5
    for sim in (half, whole):
        sim.step(*residual_batch())
    all_close(whole.state_dict(), half.state_dict(), 1e-14)


@pytest.mark.parametrize("loss", LOSSES)
def test_predict_and_evaluate_equal_torch_eval(loss: str) -> None:
    sim = simulate(residual(loss), consolidation=cs.Consolidation(rate=0.1))
    for step in range(3):
        sim.step(*residual_batch(loss, seed=step))
    twin = Twin().copy_from(sim).eval()
    images, target = residual_batch(loss, samples=11, seed=9)
    with torch.no_grad():
        answer = twin(torch.from_numpy(images))
        exact = objective(loss, answer, target).item()
    rate = {"cross_entropy": lambda x: x.softmax(1), "squared": torch.tanh}.get(loss, torch.sigmoid)(answer).numpy()
    close(sim.predict(images), rate, 1e-12)
    close(sim.predict(images, batch=4), rate, 1e-12)  # in parts, the last one smaller
    found = sim.evaluate(images, target, batch=4)
    assert found["loss"] == pytest.approx(exact, rel=1e-12)
    if loss == "cross_entropy":
        assert found["accuracy"] == pytest.approx(np.mean(rate.argmax(1) == target))
    else:
        assert found.keys() == sim.step(images, target).keys() == {"loss"}


@pytest.mark.parametrize("loss", LOSSES)
def test_accuracy_is_that_of_classes_whatever_the_loss(loss: str) -> None:
    sim, (images, _) = simulate(residual(loss)), residual_batch(loss)
    classes = np.arange(len(images)) % 5
    expected = np.mean(sim.predict(images).argmax(1) == classes)
    assert sim.evaluate(images, classes)["accuracy"] == pytest.approx(expected)
    assert sim.evaluate(images, {"answer": list(classes)}, batch=4)["accuracy"] == pytest.approx(expected)
    assert "accuracy" in sim.step(images, torch.from_numpy(classes))


def test_feedback_weights_are_the_forward_ones() -> None:
    sim = simulate(residual())
    sim.step(*residual_batch())
    tied = [label for label in sim.weights if label.endswith("~")]
    assert len(tied) == 6
    for label in tied:
        np.testing.assert_array_equal(sim.weights[label], sim.weights[label.removesuffix("~")])
