"""States in place: the same numbers as otherwise, in the memory that was there before."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import counterstream as cs
from counterstream.engine.errors import SimulationError
from counterstream.engine.simulator import Simulator
from counterstream.testing.conformance.drawn import SAMPLES, Drawn, drawn_circuits

from .nets import SYSTEMS, close, masks, residual, residual_batch, simulate

CONSOLIDATIONS = (
    cs.Consolidation(rate=0.02),
    cs.Consolidation(rate=0.02, momentum=0.9),
    cs.Consolidation(rate=0.02, momentum=0.5, nesterov=True),
    cs.Consolidation(optimizer="adamw", rate=0.01, epsilon=1e-3),
)


def after_three_steps(drawn: Drawn, system: str, how: cs.Consolidation, engine: str, in_place: bool) -> Simulator:
    circuit = drawn.circuit(system)
    sim = simulate(circuit, drawn.seed, engine=engine, consolidation=how, in_place=in_place)
    random = np.random.default_rng(drawn.seed)
    for _ in range(3):
        sim.step(*drawn.batch(circuit, random), noise=masks(sim, SAMPLES, random))
        if "mirror" in sim.compiled.modes:
            sim.run("mirror")
    return sim


@pytest.mark.parametrize("engine", ["torch", "reference"])
@settings(max_examples=25)
@given(drawn=drawn_circuits(), system=st.sampled_from(SYSTEMS), how=st.sampled_from(CONSOLIDATIONS))
def test_in_place_is_as_elsewhere(drawn: Drawn, system: str, how: cs.Consolidation, engine: str) -> None:
    found, expected = (after_three_steps(drawn, system, how, engine, place).state_dict() for place in (True, False))
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        close(found[name], value, 1e-12, name)


@pytest.mark.parametrize("how", CONSOLIDATIONS, ids=["plain", "momentum", "nesterov", "adamw"])
@pytest.mark.parametrize("system", SYSTEMS)
def test_learning_states_stay_where_they_are(system: str, how: cs.Consolidation) -> None:
    sim = simulate(residual(learning=system, decay=0.01), consolidation=how, in_place=True)
    modes = sim.compiled.modes.values()
    learning = {learner.state for programs in modes for learner in programs.learners}
    learning |= {name for name in sim.compiled.states if name.startswith("trace")}
    places = {name: sim._live.arrays[name].data_ptr() for name in learning}
    before = sim.state_dict()
    sim.step(*residual_batch())
    if "mirror" in sim.compiled.modes:
        sim.run("mirror")
    assert {name: sim._live.arrays[name].data_ptr() for name in learning} == places
    assert all((sim.state_dict()[name] != before[name]).any() for name in learning)


def test_sgd_with_momentum_needs_no_new_memory() -> None:
    """v = drive + mu v - decay w and w + rate v: each call writes into one of its operands."""
    sim = simulate(residual(decay=0.01), consolidation=cs.Consolidation(momentum=0.9), in_place=True)
    sim.step(*residual_batch())
    calls = [node for node in sim._stepper("engaged")._consolidate.module.graph.nodes if node.op == "call_function"]
    assert calls
    assert all("out" in node.kwargs for node in calls)


def test_what_was_overwritten_is_not_read() -> None:
    sim = simulate(residual(), in_place=True, watch=["hidden1.rate"])
    sim.step(*residual_batch())
    assert sim.read("hidden1.rate").shape == (6, 4, 9, 9)
    with pytest.raises(SimulationError, match=r"read\('hidden2.rate'\) needs the state that the step saw"):
        sim.read("hidden2.rate")
