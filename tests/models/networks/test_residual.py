"""The residual networks in Python: sizes, and what their options do."""

from math import prod
from typing import Any

import numpy as np
import pytest
import torch
import torchvision

import counterstream as cs
from counterstream.circuits.graph import Graph, build_graph
from counterstream.engine.compiler.state import circuit_states
from counterstream.models import networks

SMALL: dict[str, Any] = {"size": [1, 8, 8], "classes": 4, "stem": "small", "width": 0.1}
KINDS = ("weights", "gain", "bias")


def graph(circuit: cs.Circuit) -> Graph:
    return build_graph(cs.expand(circuit))


def weighted(laid: Graph) -> list[str]:
    return [label for label, g in laid.geometries.items() if g.wiring.weighted and not label.endswith("~")]


@pytest.mark.parametrize("depth", [18, 34, 50, 101, 152])
def test_the_classic_form_has_torchvision_s_parameters(depth: int) -> None:
    with torch.device("meta"):
        theirs = sum(p.numel() for p in getattr(torchvision.models, f"resnet{depth}")().parameters())
    states = circuit_states(graph(getattr(networks, f"resnet{depth}")())).items()
    forward = [s for name, s in states if name.partition("/")[0] in KINDS and not name.endswith("~")]
    assert sum(prod(s.shape) for s in forward) == theirs


@pytest.mark.parametrize("form", ["", "_v2", "_post"])
@pytest.mark.parametrize("depth", [18, 34, 50, 101, 152])
def test_depths_count_layers(depth: int, form: str) -> None:
    """All but the shortcuts' convolutions: three, and a bottleneck's stage 1 widens too."""
    layers = weighted(graph(getattr(networks, f"resnet{depth}{form}")(**SMALL)))
    shortcuts = [label for label in layers if label.endswith("downsample")]
    assert len(layers) - len(shortcuts) == depth
    assert len(shortcuts) == (3 if depth < 50 else 4)


@pytest.mark.parametrize("form", ["", "_v2", "_post"])
def test_sides_and_channels(form: str) -> None:
    laid = graph(getattr(networks, f"resnet50{form}")())
    assert [laid.shapes[f"stage{i}.block2.sum"] for i in (1, 2, 3, 4)] == [
        (256, 56, 56),
        (512, 28, 28),
        (1024, 14, 14),
        (2048, 7, 7),
    ]
    small = graph(getattr(networks, f"resnet18{form}")(**{**SMALL, "width": 0.25}))
    assert [small.shapes[f"stage{i}.block1.sum"] for i in (1, 2, 3, 4)] == [
        (16, 8, 8),
        (32, 4, 4),
        (64, 2, 2),
        (128, 1, 1),
    ]


@pytest.mark.parametrize(
    ("name", "options", "silent"),
    [("resnet18", {"last_gain": 0}, True), ("resnet18", {}, False)]
    + [(name, {"last": "zeros"}, True) for name in ("resnet18_v2", "resnet18_post", "resnet50_v2")]
    + [("resnet18_v2", {}, False), ("resnet18_post", {}, False)],
)
def test_blocks_start_as_their_shortcuts_where_the_last_layer_is_silent(
    name: str, options: dict[str, Any], silent: bool
) -> None:
    """What a block's first convolution does then makes no difference to the answer."""
    sim = cs.compile(getattr(networks, name)(**SMALL, **options), dtype="float64")
    images = np.random.default_rng(0).normal(size=(5, 1, 8, 8))
    before = sim.predict(images)
    for label in sim.weights:
        if label.startswith("stage") and label.endswith("conv1"):
            sim.weights[label] = -sim.weights[label]
    assert np.allclose(sim.predict(images), before, atol=1e-12) == silent


def test_an_unknown_stem_is_refused() -> None:
    with pytest.raises(cs.CircuitError, match=r"resnet18: stem: unknown stem 'smal'\. Did you mean 'small'\?"):
        networks.resnet18(stem="smal")
