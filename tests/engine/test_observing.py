"""Looking without a step: the shadow pass."""

import numpy as np
import pytest

import counterstream as cs
from counterstream.engine.angle import angle

from .exact import Exact
from .nets import all_close, residual, residual_batch, simulate


def test_delta_angles_of_backprop_are_zero_and_of_random_feedback_about_ninety() -> None:
    exact = simulate(residual()).delta_angles(*residual_batch())
    assert exact.keys() == {
        *("stem", "entry1", "hidden1", "sum1", "reduced", "entry2", "hidden2", "sum2", "top", "pooled", "answer"),
    }
    assert max(exact.values()) < 1e-6
    for system in ("feedback_alignment", "direct_feedback_alignment"):
        found = [simulate(residual(learning=system), seed=s).delta_angles(*residual_batch()) for s in range(6)]
        assert all(angles["answer"] < 1e-6 for angles in found)  # the error itself
        assert np.mean([angles["stem"] for angles in found]) == pytest.approx(90, abs=15), system
        reached = {name for angles in found for name in angles}
        assert ("pooled" in reached) == (system == "feedback_alignment")  # no direct error: nothing learns there


def test_shadow_deltas_are_autograds_and_the_circuits_own() -> None:
    sim = simulate(residual(learning="feedback_alignment"))
    exact = Exact(sim, *residual_batch())
    state = sim.state_dict()
    angles = sim.delta_angles(*residual_batch())
    all_close(sim.state_dict(), state, 0)  # looking changes nothing
    sim.step(*residual_batch())
    for name, found in angles.items():
        assert found == pytest.approx(angle(sim.read(f"{name}~.rate"), exact[f"{name}.soma"].grad.numpy()), abs=1e-5)


EXPLICIT = """
populations:
  x: {input: [6]}
  h: {transfer: tanh}
  y: {transfer: softmax}
  e: {partner: y}
  back: {partner: h}
projections:
  - {name: up, from: x, to: h, wiring: {dense: {size: 8}}, rules: {awake: "-post.apical * pre.rate"}}
  - {name: out, from: h, to: y, wiring: {dense: {size: 3}}, rules: {awake: "-post.apical * pre.rate"}}
  - {name: down, from: e, to: back, wiring: {dense: {}}}
cross:
  - {from: h, to: back, role: gate}
  - {from: back, to: h}
  - {from: e, to: y}
modes: {awake: {}}
"""


def test_shadow_of_a_circuit_written_by_hand() -> None:
    sim = simulate(cs.loads(EXPLICIT))
    random = np.random.default_rng(0)
    x, digits = random.normal(size=(5, 6)), random.integers(0, 3, 5)
    angles = sim.delta_angles(x, digits)
    assert angles.keys() == {"h", "y"}
    assert angles["h"] > 5
    soma = x @ sim.weights["up"].T
    logits = np.tanh(soma + sim.biases["h"]) @ sim.weights["out"].T + sim.biases["y"]
    rate = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    error, slope = rate - np.eye(3)[digits], 1 - np.tanh(soma + sim.biases["h"]) ** 2
    own, exact = slope * (error @ sim.weights["down"].T), slope * (error @ sim.weights["out"])
    assert angles["h"] == pytest.approx(angle(own, exact), abs=1e-6)
    sim.weights["down"] = sim.weights["out"].T
    assert sim.delta_angles(x, digits)["h"] < 1e-6
