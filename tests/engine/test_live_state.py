"""State in and out: what is saved, loaded, drawn, set; and through views."""

from typing import Any

import numpy as np
import pytest

import counterstream as cs
from counterstream.engine import SimulationError
from counterstream.engine.errors import UnknownName
from counterstream.engine.simulator import Simulator

from .nets import SYSTEMS, all_close, plain, residual, residual_batch, simulate

MOMENTUM = cs.Consolidation(rate=0.1, momentum=0.9)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("system", SYSTEMS)
def test_a_resumed_run_is_the_same_run(system: str, optimizer: str) -> None:
    how = MOMENTUM if optimizer == "sgd" else cs.Consolidation(optimizer="adamw", rate=0.01)

    def train(sim: Simulator, steps: range) -> None:
        for step in steps:
            sim.step(*residual_batch(seed=step))
            if "mirror" in sim.compiled.modes:
                sim.run("mirror")

    whole, first = (simulate(residual(learning=system), consolidation=how, dtype="float32") for _ in range(2))
    train(whole, range(6))
    train(first, range(3))
    saved = first.state_dict()
    assert saved["steps/engaged"] == 3
    train(first, range(3, 4))  # what was saved does not change with the simulator
    resumed = simulate(residual(learning=system), consolidation=how, dtype="float32")
    resumed.load_state_dict(saved)
    train(resumed, range(3, 6))
    for name, value in whole.state_dict().items():
        np.testing.assert_array_equal(resumed.state_dict()[name], value, err_msg=name)


@pytest.mark.parametrize("how", [MOMENTUM, cs.Consolidation(optimizer="adamw", rate=0.01)], ids=["momentum", "adamw"])
def test_the_first_step_of_a_second_mode_is_a_first_step(how: cs.Consolidation) -> None:
    """Each mode has traces of its own, which stand still in the others."""
    text = """
populations: {x: {input: [4]}, y: {transfer: tanh}}
projections: [{name: a, from: x, to: y, wiring: {dense: {size: 3}}}]
learning:
  name: twice
  feedback: {pathway: none}
  modes: {awake: {forward: "post.rate * pre.rate"}, drowsy: {forward: "post.rate * pre.rate"}}
"""
    sim, fresh = (simulate(cs.loads(text), consolidation=how) for _ in range(2))
    x = np.random.default_rng(0).normal(size=(5, 4))
    for _ in range(20):
        sim.step(x, mode="awake")
    fresh.weights["a"] = sim.weights["a"]
    before = sim.state_dict()
    sim.step(x, mode="drowsy")
    fresh.step(x, mode="drowsy")
    np.testing.assert_array_equal(sim.weights["a"], fresh.weights["a"])
    after = sim.state_dict()
    moved = {name.split("/")[1] for name in before if name.startswith("trace") and (before[name] != after[name]).any()}
    assert moved == {"drowsy"}


def test_initial_state_depends_on_seed_and_name_alone() -> None:
    first, other = (simulate(residual(), seed=seed) for seed in (1, 2))
    again = simulate(residual(learning="kolen_pollack"), seed=1)
    for label in ("image->stem", "shortcut", "pooled->answer"):
        np.testing.assert_array_equal(first.weights[label], again.weights[label])
        assert not np.allclose(first.weights[label], other.weights[label])
    assert not np.allclose(again.weights["shortcut~"], again.weights["shortcut"])


def test_load_state_dict_refuses_another_circuits_state_and_changes_nothing() -> None:
    sim = simulate(plain())
    state = sim.state_dict()
    before = sim.state_dict()
    with pytest.raises(SimulationError, match=r"the state must be this circuit's \(without bias/h, unknown bias/k\)"):
        sim.load_state_dict({("bias/k" if name == "bias/h" else name): value for name, value in state.items()})
    with pytest.raises(SimulationError, match=r"bias/h must have shape \[6\] \(got \[7\]\)"):
        sim.load_state_dict({**state, "steps/engaged": np.asarray(9), "bias/h": np.ones(7)})
    all_close(sim.state_dict(), before, 0)


def test_weights_gains_and_biases_are_copies_that_can_be_set() -> None:
    sim = simulate(residual(learning="kolen_pollack"))
    weight = sim.weights["shortcut"]
    weight += 1
    assert not np.allclose(sim.weights["shortcut"], weight)
    sim.weights["shortcut"] = weight
    np.testing.assert_array_equal(sim.weights["shortcut"], weight)
    weight += 1  # nor does the array that was given stay connected
    assert not np.allclose(sim.weights["shortcut"], weight)
    sim.gains["top"], sim.biases["top"] = np.arange(6), -np.arange(6)
    np.testing.assert_array_equal(sim.gains["top"], np.arange(6))
    np.testing.assert_array_equal(sim.biases["top"], -np.arange(6))
    assert set(sim.gains) == {"entry1", "hidden1", "entry2", "hidden2", "top"}
    assert set(sim.biases) == {*sim.gains, "answer"}
    assert len(sim.weights) == 7 + 6


def test_tied_weights_show_what_they_conduct_with_and_cannot_be_set() -> None:
    sim = simulate(plain("backprop"))
    np.testing.assert_array_equal(sim.weights["v1->v2~"], sim.weights["v1->v2"])
    with pytest.raises(
        SimulationError, match=r"'v1->v2~' has no weights of its own: set those of 'v1->v2' \(transpose_of\)"
    ):
        sim.weights["v1->v2~"] = sim.weights["v1->v2"]


@pytest.mark.parametrize(
    ("do", "message"),
    [
        (lambda sim: sim.weights["v1->v3"], "'v1->v3' has no weights. Did you mean 'v1->v2'?"),
        (lambda sim: sim.gains["v1"], "'v1' has no gain. there are none"),
        (lambda sim: sim.biases["image"], "'image' has no bias. valid names: v1, v2, h, answer"),
    ],
)
def test_unknown_names_are_key_errors_with_suggestions(do: Any, message: str) -> None:
    with pytest.raises(UnknownName) as caught:
        do(simulate(plain()))
    assert message in str(caught.value)
    assert isinstance(caught.value, KeyError)


def test_other_states_can_be_set_by_name() -> None:
    sim = simulate(residual())
    sim.set_state("running_mean/top", np.ones(6))
    np.testing.assert_array_equal(sim.get_state("running_mean/top"), np.ones(6))
    with pytest.raises(SimulationError, match=r"unknown state 'running_mean/tip'. Did you mean 'running_mean/top'"):
        sim.set_state("running_mean/tip", np.ones(6))
    with pytest.raises(SimulationError, match=r"running_mean/top must have shape \[6\] \(got \[5\]\)"):
        sim.set_state("running_mean/top", np.ones(5))
    with pytest.raises(SimulationError, match="the gain of 'top' cannot be removed from a compiled circuit"):
        del sim.gains["top"]
