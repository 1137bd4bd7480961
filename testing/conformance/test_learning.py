"""Whole steps against the reference: every stock circuit, every learning system, every way to consolidate."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from ...circuits.declarations import Circuit, Consolidation
from ...engine.simulator import Simulator
from ...models import stock_circuits, stock_learning
from ...models.library import load_learning
from .candidate import FINE, REFERENCE, Array, Candidate, close, distance, same_state
from .drawn import SAMPLES, batch, step_beside
from .small import residual, stock

MOMENTUM = Consolidation(rate=0.02, momentum=0.9)
CONSOLIDATIONS = {
    "sgd": Consolidation(rate=0.02),
    "momentum": MOMENTUM,
    "nesterov": Consolidation(rate=0.02, momentum=0.5, nesterov=True),
    "adamw": Consolidation(optimizer="adamw", rate=0.01, epsilon=1e-3),
}
STEPS = 2


def taught(sim: Simulator, circuit: Circuit, steps: int = STEPS) -> list[dict[str, float]]:
    """Steps of every mode. What they reported is returned."""
    random, found = np.random.default_rng(0), []
    for _ in range(steps):
        given = batch(circuit, random, SAMPLES)
        found.append(sim.step(*given, modulators=modulators(sim, SAMPLES)))
        step_beside(sim, *given)
    return found


def modulators(sim: Simulator, samples: int) -> dict[str, Array]:
    """Numbers for every modulator that the circuit must be given, one a sample or one for all."""
    random, inputs = np.random.default_rng(1), sim.compiled.modes[sim.compiled.data_mode].observe.inputs
    return {
        name.removeprefix("mod/"): random.normal(size=samples if value.batched else ())
        for name, value in inputs.items()
        if name.startswith("mod/")
    }


def compare(candidate: Candidate, circuit: Circuit) -> None:
    """Some steps, number by number; where numbers are too round for that, all that one step changes."""
    sim, oracle = (one.simulate(circuit, MOMENTUM) for one in (candidate, REFERENCE))
    start, tolerances, is_fine = oracle.state_dict(), candidate.tolerances, candidate.dtype in FINE
    ours, theirs = (taught(each, circuit, STEPS if is_fine else 1) for each in (sim, oracle))
    for found, expected in zip(ours, theirs, strict=True):
        assert found["loss"] == pytest.approx(expected["loss"], rel=tolerances.state if is_fine else tolerances.step)
    if is_fine:
        same_state(sim, oracle, tolerances.state)
    else:
        assert distance(changes(sim, start), changes(oracle, start)) < tolerances.step


def changes(sim: Simulator, start: Mapping[str, Array]) -> dict[str, Array]:
    """What was added to every state."""
    return {name: np.subtract(value, start[name], dtype=np.float64) for name, value in sim.state_dict().items()}


@pytest.mark.parametrize("name", stock_circuits())
def test_stock_circuit(fine: Candidate, name: str, row: Callable[[str, str], None]) -> None:
    row("stock circuits", name)
    compare(fine, stock(name, "kolen_pollack"))


@pytest.mark.parametrize("system", stock_learning())
def test_learning_system(candidate: Candidate, system: str, row: Callable[[str, str], None]) -> None:
    row("learning systems", system)
    compare(candidate, residual(system))


@pytest.mark.parametrize("how", CONSOLIDATIONS)
def test_consolidation(widest: Candidate, how: str) -> None:
    circuit = residual("kolen_pollack")
    sim, oracle = (one.simulate(circuit, CONSOLIDATIONS[how]) for one in (widest, REFERENCE))
    for each in (sim, oracle):
        taught(each, circuit)
    same_state(sim, oracle, widest.tolerances.state)


@pytest.mark.parametrize("how", CONSOLIDATIONS)
def test_in_place_is_as_elsewhere(widest: Candidate, how: str) -> None:
    """States that are donated, step after step."""
    circuit = residual("weight_mirror")
    sim, oracle = (one.simulate(circuit, CONSOLIDATIONS[how], in_place=one is widest) for one in (widest, REFERENCE))
    for each in (sim, oracle):
        taught(each, circuit, steps=3)
    same_state(sim, oracle, widest.tolerances.state)


def test_whatever_can_be_asked(widest: Candidate) -> None:
    """Predictions, evaluation, compartments read afterwards and watched, angles between W and B and between deltas."""
    circuit, tolerance = residual("feedback_alignment"), widest.tolerances.state
    watch = ["top.rate", "hidden~.soma"]
    sim, oracle = (one.simulate(circuit, MOMENTUM, watch=watch) for one in (widest, REFERENCE))
    for each in (sim, oracle):
        taught(each, circuit)
    data, target = batch(circuit, np.random.default_rng(2), 7)
    close(sim.predict(data, batch=3), oracle.predict(data), tolerance)
    assert sim.evaluate(data, target, batch=4) == pytest.approx(oracle.evaluate(data, target), rel=tolerance)
    for name in (*watch, "hidden.drive", "stem~.gated", "image.rate", "answer~.rate"):
        close(sim.read(name), oracle.read(name), tolerance, name)
    for name, degrees in oracle.delta_angles(data, target).items():
        assert sim.delta_angles(data, target)[name] == pytest.approx(degrees, rel=tolerance, abs=1e-4), name


def test_a_mirror_may_listen_through_the_transfer_function(widest: Candidate) -> None:
    mirror = load_learning("weight_mirror")
    mode = mirror.modes["mirror"].model_copy(update={"answers": "rate"})
    circuit = stock("digits_resnet", mirror.model_copy(update={"modes": {**mirror.modes, "mirror": mode}}))
    sim, oracle = (one.simulate(circuit, MOMENTUM) for one in (widest, REFERENCE))
    for each in (sim, oracle):
        each.run("mirror", steps=2)
    same_state(sim, oracle, widest.tolerances.state)
