"""The weight mirror as it ships, in whole networks: one constant r, gain 1 and theory's angle in every layer."""

from typing import Any

import numpy as np
import pytest

import counterstream as cs
from counterstream.circuits.plasticity import answer_of
from counterstream.engine.angle import angle
from counterstream.engine.compiler.mirror import expected_angle_tangent
from counterstream.engine.simulator import Simulator
from counterstream.models import load_learning

NETWORKS: dict[str, dict[str, Any]] = {
    "digits_resnet": {},
    "resnet18": {"size": [1, 8, 8], "classes": 10, "stem": "small", "width": 0.25},
}
DRAWS, SPACING = 20, 15  # states of B that are looked at, and mirror steps in between; single ones are noisy


def synapses(sim: Simulator, label: str, owner: str) -> np.ndarray:
    """The weights of W or B without taps that see padding alone."""
    unseen, weights = sim.compiled.graph.geometries[label].unseen, sim.weights[owner]
    return weights.ravel() if unseen is None else weights[~np.broadcast_to(unseen, weights.shape)]


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_gain_and_angle_in_every_layer(name: str) -> None:
    system = load_learning("weight_mirror")
    sim = cs.compile(cs.load(name, learning=system, options=NETWORKS[name]), seed=0)
    mode, graph = sim.compiled.circuit.modes["mirror"], sim.compiled.graph
    mirrored = {p.subject.removesuffix("~"): p for p in sim.compiled.plasticity if p.mode == "mirror"}
    assert mirrored.keys() == {label for label in sim.weights if f"{label}~" in sim.weights}
    forward = {label: synapses(sim, label, label) for label in mirrored}
    found: dict[str, list[np.ndarray]] = {label: [] for label in mirrored}
    sim.run("mirror", steps=100)  # 0.9^100: B has forgotten how it started
    for _ in range(DRAWS):
        sim.run("mirror", steps=SPACING)
        for label, draws in found.items():
            draws.append(synapses(sim, label, f"{label}~"))
    for label, w in forward.items():
        np.testing.assert_array_equal(synapses(sim, label, label), w)  # W rests
        gain = np.mean(found[label], axis=0) @ w / (w @ w)
        tangent = np.mean([np.tan(np.radians(angle(w, b))) for b in found[label]])
        theory = expected_angle_tangent(mode, graph.geometries[label], mirrored[label], answer_of(graph, label, mode))
        assert gain == pytest.approx(1, abs=0.02), label
        assert tangent == pytest.approx(theory, rel=0.1), label
        assert np.degrees(np.arctan(theory)) <= 8 + 1e-9  # what the system's file declares
