"""Circuits made at random, under every learning system, step by step against the reference."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ...circuits.declarations import Circuit, Consolidation
from ...engine.simulator import Simulator
from ...models import stock_learning
from .candidate import REFERENCE, Candidate, close, same_state
from .drawn import Drawn, drawn_circuits, step_beside

STEPS = 3
SYSTEMS = st.sampled_from(sorted(stock_learning()))
CONSOLIDATIONS = (
    Consolidation(rate=0.02, momentum=0.9),
    Consolidation(rate=0.02, momentum=0.5, nesterov=True),
    # A larger epsilon than usual: Adam divides a drive of nothing but rounding by its own size.
    Consolidation(optimizer="adamw", rate=0.01, epsilon=1e-3),
)


def rounding_decides(sim: Simulator) -> bool:
    """Whether a neuron of the last step stood at its transfer function's kink but for rounding, so that one engine
    finds it on this side and another on that. Normalization puts a neuron there to which all samples brought the same.
    """
    for name, population in sim.compiled.graph.populations.items():
        if population.normalizes and population.transfer in ("relu", "relu6", "hardswish"):
            soma, drive = sim.read(f"{name}.soma"), sim.read(f"{name}.drive")
            if ((np.abs(drive) < 1e-9) & (soma != 0)).any():
                return True
    return False


def trained(drawn: Drawn, circuit: Circuit, how: Consolidation, candidate: Candidate) -> Simulator:
    """After some steps, with those of other modes between them."""
    sim = candidate.simulate(circuit, how, seed=drawn.seed)
    random = np.random.default_rng(drawn.seed)
    for _ in range(STEPS):
        batch = drawn.batch(circuit, random)
        sim.step(*batch)
        assume(candidate != REFERENCE or not rounding_decides(sim))
        step_beside(sim, *batch)
    return sim


def test_random_circuits(fine: Candidate, drawn: settings) -> None:
    """Kinks and maxima only in float64: where numbers are rounder, rounding decides at these, and rightly so. Nor is
    Adam compared there, which divides small drives by their own size."""
    is_exact = fine.dtype == "float64"

    @drawn
    @given(drawn_circuits(smooth=not is_exact), SYSTEMS, st.sampled_from(CONSOLIDATIONS[: 3 if is_exact else 2]))
    def check(example: Drawn, system: str, how: Consolidation) -> None:
        circuit = example.circuit(system)
        oracle = trained(example, circuit, how, REFERENCE)
        sim = trained(example, circuit, how, fine)
        same_state(sim, oracle, fine.tolerances.state)
        data, target = example.batch(circuit, np.random.default_rng(1))
        close(sim.predict(data), oracle.predict(data), fine.tolerances.state)
        assert sim.evaluate(data, target) == pytest.approx(oracle.evaluate(data, target), rel=fine.tolerances.state)

    check()
