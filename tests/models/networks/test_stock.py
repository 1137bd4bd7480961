"""The stock circuits that are not residual: their sizes are their sources', they are local and they run."""

from math import prod
from typing import Any

import numpy as np
import pytest
import torch
import torchvision

import counterstream as cs
from counterstream.circuits.graph import Graph, build_graph
from counterstream.engine.compiler.state import State, circuit_states
from counterstream.models import networks

NAMES = ("alexnet", "lenet", "mlp", "plain_cnn", "vgg11_bn", "vgg13_bn", "vgg16_bn", "vgg19_bn")
RUNNABLE: dict[str, dict[str, Any]] = {
    "alexnet": {"size": [3, 64, 64], "classes": 7, "width": 0.05},
    "lenet": {},
    "mlp": {"size": [1, 8, 8], "width": 20, "depth": 3},
    "plain_cnn": {"width": 4},
    "vgg11_bn": {"size": [3, 32, 32], "classes": 7, "width": 0.05},
}


def graph(circuit: cs.Circuit) -> Graph:
    return build_graph(cs.expand(circuit))


def forward(circuit: cs.Circuit) -> dict[str, State]:
    """The parameters of the forward stream."""
    kinds = ("weights", "gain", "bias")
    states = circuit_states(graph(circuit)).items()
    return {name: s for name, s in states if name.partition("/")[0] in kinds and not name.endswith("~")}


def count(circuit: cs.Circuit) -> int:
    return sum(prod(state.shape) for state in forward(circuit).values())


def source(name: str) -> torch.nn.Module:
    """torchvision's module, without memory for its weights."""
    with torch.device("meta"):
        return getattr(torchvision.models, name)()


# ---- sizes


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("lenet", 61_706),
        ("alexnet", 61_100_840),
        ("vgg11_bn", 132_866_088),
        ("vgg13_bn", 133_050_792),
        ("vgg16_bn", 138_361_768),
        ("vgg19_bn", 143_672_744),
        ("mlp", 784 * 256 + 256 + 256 * 256 + 256 + 256 * 10 + 10),
    ],
)
def test_parameters_are_counted(name: str, parameters: int) -> None:
    assert count(getattr(networks, name)()) == parameters


@pytest.mark.parametrize("name", ["alexnet", "vgg11_bn", "vgg13_bn", "vgg16_bn", "vgg19_bn"])
def test_parameters_are_torchvision_s_but_for_the_biases_that_normalization_makes_idle(name: str) -> None:
    module = source(name)
    convs = [layer for layer in module.modules() if isinstance(layer, torch.nn.Conv2d)]
    idle = sum(layer.out_channels for layer in convs) if name.endswith("_bn") else 0
    assert idle == {"alexnet": 0, "vgg11_bn": 2752, "vgg13_bn": 2944, "vgg16_bn": 4224, "vgg19_bn": 5504}[name]
    assert count(getattr(networks, name)()) == sum(p.numel() for p in module.parameters()) - idle


@pytest.mark.parametrize("name", ["alexnet", "vgg11_bn", "vgg16_bn"])
def test_weights_lie_as_torchvision_s_do(name: str) -> None:
    kinds = (torch.nn.Conv2d, torch.nn.Linear)
    theirs = [tuple(layer.weight.shape) for layer in source(name).modules() if isinstance(layer, kinds)]
    laid = graph(getattr(networks, name)())
    ours = [g.weight_shape for label, g in laid.geometries.items() if g.weight_shape and not label.endswith("~")]
    assert ours == theirs


@pytest.mark.parametrize("name", ["alexnet", "vgg11_bn"])
def test_maps_have_torchvision_s_shapes(name: str) -> None:
    module, shapes = source(name), []
    for layer in module.modules():
        if isinstance(layer, torch.nn.Conv2d | torch.nn.MaxPool2d | torch.nn.AdaptiveAvgPool2d | torch.nn.Linear):
            layer.register_forward_hook(lambda _, __, out: shapes.append(tuple(out.shape[1:])))
    module(torch.empty(2, 3, 224, 224, device="meta"))
    laid = graph(getattr(networks, name)())
    assert [laid.shapes[population] for population in laid.forward if population != "image"] == shapes


def test_the_deeper_vggs_have_the_layers_that_their_names_count() -> None:
    for depth in (11, 13, 16, 19):
        laid = graph(getattr(networks, f"vgg{depth}_bn")())
        assert sum(g.wiring.weighted for label, g in laid.geometries.items() if not label.endswith("~")) == depth


# ---- initial weights


def test_alexnet_s_weights_start_as_torchvision_s_do() -> None:
    """Uniform within 1 / sqrt(fan-in): the bounds and the deviation of its convolutions."""
    module = torchvision.models.AlexNet(num_classes=2)
    theirs = [layer.weight.detach().numpy() for layer in module.features if isinstance(layer, torch.nn.Conv2d)]
    states = forward(networks.alexnet(classes=2))
    ours = [state.draw(0) for name, state in states.items() if name.startswith("weights/") and len(state.shape) == 4]
    assert len(ours) == len(theirs) == 5
    for mine, other in zip(ours, theirs, strict=True):
        assert np.abs(mine).max() == pytest.approx(np.abs(other).max(), rel=1e-3)
        assert mine.std() == pytest.approx(other.std(), rel=0.02)


def test_vgg_s_weights_start_as_torchvision_s_do() -> None:
    """N(0, 2 / fan-out) for convolutions, N(0, 0.01^2) for dense layers."""
    for name, state in forward(networks.vgg11_bn(size=[3, 32, 32], width=0.25)).items():
        if name.startswith("weights/"):
            out, kernel = state.shape[0], prod(state.shape[2:])
            expected = (2 / (out * kernel)) ** 0.5 if len(state.shape) == 4 else 0.01
            assert state.draw(0).std() == pytest.approx(expected, rel=0.06), name


# ---- what they are for


@pytest.mark.parametrize("name", NAMES)
def test_they_are_local_under_kolen_pollack(name: str) -> None:
    circuit = cs.load(name, learning="kolen_pollack")
    assert cs.check(circuit).local
    assert not cs.check(cs.load(name)).local  # backprop


@pytest.mark.parametrize("name", RUNNABLE)
def test_they_run_and_learn_a_batch_by_heart(name: str) -> None:
    sim = cs.compile(cs.load(name, options=RUNNABLE[name]), consolidation=cs.Consolidation(rate=0.02, momentum=0.9))
    shape = cs.load(name, options=RUNNABLE[name]).populations["image"].input
    random = np.random.default_rng(0)
    images, labels = random.normal(size=(6, *shape)), [0, 1, 2, 3, 4, 5]
    rates = sim.predict(images)
    assert rates.shape == (6, RUNNABLE[name].get("classes", 10))
    np.testing.assert_allclose(rates.sum(axis=1), 1, rtol=1e-5)
    losses = [sim.step(images, labels)["loss"] for _ in range(30)]
    assert losses[-1] < losses[0]


def test_widths_and_depths_do_what_they_say() -> None:
    assert graph(cs.load("mlp", options={"depth": 5, "width": 7})).shapes["stage1.block5.hidden"] == (7,)
    assert graph(cs.load("plain_cnn", options={"width": 6, "depth": 3})).shapes["stage3.block3.conv"] == (24, 2, 2)
    assert graph(cs.load("alexnet", options={"width": 0.5})).shapes["fc6"] == (2048,)
    assert graph(cs.load("vgg11_bn", options={"width": 0.5})).shapes["stage5.block2.conv"] == (256, 14, 14)
