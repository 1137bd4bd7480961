"""Torchvision's families as circuits: equal logits, the module's own names, training under every learning system."""

from collections.abc import Collection, Iterable
from typing import Any

import numpy as np
import pytest
import torchvision.models as zoo

import counterstream as cs
from counterstream.models import stock_learning, with_learning
from counterstream.models.exchange import ExchangeError, from_torch, to_torch

from .families import EXPRESSIBLE, network
from .nets import answer, arrays, assert_same, descend, forward_states, images, sgd, without_dropout

RATE, MOMENTUM = 0.01, 0.9
LIGHT = ("squeezenet1_1", "mnasnet0_5")
HEAVY = ("resnet18", "mobilenet_v2", "regnet_x_400mf", "googlenet", "vgg11_bn", "densenet121")
LARGE = ("wide_resnet50_2", "densenet121", "vgg11", "vgg11_bn", "inception_v3", "resnext50_32x4d", "googlenet")


def apart(families: Iterable[str], heavy: Collection[str]) -> list[Any]:
    """Parameters of a test, of which the heavy ones are marked slow."""
    return [pytest.param(name, marks=pytest.mark.slow) if name in heavy else name for name in families]


TRAINED = apart((*LIGHT, *HEAVY), HEAVY)


@pytest.mark.parametrize("family", apart(EXPRESSIBLE, LARGE))
def test_logits_are_equal_and_weights_come_back(family: str) -> None:
    module, side = network(family)
    brought = from_torch(module, (3, side, side), loss="squared")  # a squared loss leaves the logits as they are
    sim = cs.compile(brought.circuit, dtype="float64", state=brought.state)
    batch = images(2, 3, side, side)
    expected = answer(module, batch)
    np.testing.assert_allclose(sim.predict(batch), expected, rtol=0, atol=1e-10 * np.abs(expected).max())
    before = arrays(module.state_dict())
    module.load_state_dict(brought.state_dict(sim), strict=True)
    assert_same(arrays(module.state_dict()), before, 1e-15)


@pytest.mark.parametrize("family", apart(("densenet121", "googlenet", "mobilenet_v2"), LARGE))
def test_out_and_in_again(family: str) -> None:
    """What `to_torch` writes under the module's names is the module, and can be brought in once more."""
    module, side = network(family)
    brought = from_torch(module, (3, side, side), loss="squared")
    sim = cs.compile(brought.circuit, dtype="float64", state=brought.state)
    written, batch = to_torch(sim, brought), images(2, 3, side, side)
    expected = answer(module, batch)
    np.testing.assert_allclose(answer(written, batch), expected, rtol=0, atol=1e-10 * np.abs(expected).max())
    module.load_state_dict(written.state_dict(), strict=True)
    again = from_torch(written, (3, side, side), loss="squared")
    sim = cs.compile(again.circuit, dtype="float64", state=again.state)
    np.testing.assert_allclose(sim.predict(batch), expected, rtol=0, atol=1e-10 * np.abs(expected).max())


@pytest.mark.parametrize("family", TRAINED)
def test_a_step_of_backprop_equals_autograd(family: str) -> None:
    """Weights, gains, biases and statistics after two steps of SGD with momentum."""
    module, side = network(family)
    without_dropout(module)
    brought = from_torch(module, (3, side, side))
    circuit = with_learning(brought.circuit, "backprop", {"decay": 0.0})
    how = cs.Consolidation(rate=RATE, momentum=MOMENTUM)
    sim = cs.compile(circuit, dtype="float64", consolidation=how, state=brought.state)
    optimizer = sgd(module, RATE, MOMENTUM)
    for step in range(2):
        batch, target = images(4, 3, side, side, seed=step), np.arange(4)
        loss = descend(module, optimizer, "cross_entropy", batch, target)
        assert sim.step(batch, target)["loss"] == pytest.approx(loss, rel=1e-9)
    assert_same(arrays(brought.state_dict(sim)), arrays(module.state_dict()), 1e-8)


@pytest.mark.slow
@pytest.mark.parametrize("family", TRAINED)
def test_a_step_under_every_learning_system(family: str) -> None:
    """Finite, and every forward weight has moved."""
    module, side = network(family)
    brought = from_torch(module, (3, side, side))
    for learning in sorted(stock_learning()):
        circuit = with_learning(brought.circuit, learning)
        sim = cs.compile(circuit, consolidation=cs.Consolidation(rate=1e-3), state=brought.state)
        before = {name: sim.get_state(name) for name in forward_states(sim) if name.startswith("weights/")}
        assert np.isfinite(sim.step(images(4, 3, side, side), np.arange(4))["loss"])
        for name in sim.compiled.states:
            assert np.isfinite(sim.get_state(name)).all(), (learning, name)
        assert all((sim.get_state(name) != value).any() for name, value in before.items()), learning


REFUSED = {
    "shufflenet_v2_x0_5": (
        r"ShuffleNetV2: stage2\.0 \(InvertedResidual\): channels keep .* \(got a view as \[batch, 2, 24, 8, 8\]\)",
        r"'transpose' cannot be said: channels keep their order.*The same in stage2\.1 \(InvertedResidual\)",
        r"'chunk' cannot be said: .*take channels by x\[:, start:stop\]",
    ),
    "regnet_y_400mf": (
        r"RegNet: trunk_output\.block1\.block1-0\.f\.se \(SqueezeExcitation\): 'mul' cannot be said: .* add up",
    ),
    "mobilenet_v3_small": (
        r"1\.block\.1\.scale_activation \(Hardsigmoid\): Hardsigmoid cannot be said: .* the nearest is Sigmoid",
        r"features\.1\.block\.1 \(SqueezeExcitation\): 'mul' cannot be said: .*squeeze-and-excitation.* and 5 more",
    ),
    "efficientnet_b0": (
        r"EfficientNet: features\.1\.0\.block\.1 \(SqueezeExcitation\): 'mul' cannot be said",
        r"\.stochastic_depth \(StochasticDepth\): 'stochastic_depth' cannot be said: .*stochastic_depth_prob=0",
    ),
    "convnext_tiny": (
        r"features\.0\.1 \(LayerNorm2d\): 'permute' cannot be said",
        r"features\.1\.0\.block\.2 \(LayerNorm\): LayerNorm cannot be said: .*use BatchNorm2d",
    ),
}


@pytest.mark.parametrize("family", REFUSED)
def test_what_cannot_be_said_is_named_with_its_place(family: str) -> None:
    with pytest.raises(ExchangeError) as refusal:
        from_torch(getattr(zoo, family)(num_classes=10), (3, 64, 64))
    for expected in REFUSED[family]:
        assert refusal.match(expected)
    assert len(refusal.value.problems) < 10  # one for all places where the same is wrong
