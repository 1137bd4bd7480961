"""The torch engine against the reference, step by step, on circuits made at random, under every learning system."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import counterstream as cs
from counterstream.engine.simulator import Simulator
from counterstream.models.library import load_learning

from ..nets import BESIDE_DATA, SYSTEMS, close, masks, simulate
from .circuits import SAMPLES, Drawn, drawn_circuits

STEPS = 3
CONSOLIDATIONS = (
    cs.Consolidation(rate=0.02, momentum=0.9),
    cs.Consolidation(rate=0.02, momentum=0.5, nesterov=True),
    # A larger epsilon than usual: Adam divides a drive of nothing but rounding by its own size.
    cs.Consolidation(optimizer="adamw", rate=0.01, epsilon=1e-3),
)


def noises(sim: Simulator, random: np.random.Generator) -> dict[str, np.ndarray]:
    """Noise for one mirror step, by projection: the same for every engine."""
    programs = sim.compiled.modes["mirror"]
    return {
        wanted.name.removeprefix("noise/"): random.normal(size=(wanted.maps, *wanted.shape))
        for wanted in programs.noise
    }


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


def trained(drawn: Drawn, circuit: cs.Circuit, how: cs.Consolidation, engine: str, dtype: str) -> Simulator:
    """After some steps, mirror steps between them where the system has them."""
    sim = cs.compile(circuit, engine=engine, dtype=dtype, seed=drawn.seed, consolidation=how)
    random = np.random.default_rng(drawn.seed)
    for _ in range(STEPS):
        batch = drawn.batch(circuit, random)
        sim.step(*batch, noise=masks(sim, SAMPLES, random))
        assume(engine == "reference" or not rounding_decides(sim))
        if "mirror" in sim.compiled.modes:
            sim.run("mirror", noise=noises(sim, random))
        if "align" in sim.compiled.modes:
            sim.step(*batch, mode="align")
    return sim


def compare(sim: Simulator, oracle: Simulator, tolerance: float) -> None:
    found, expected = sim.state_dict(), oracle.state_dict()
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        scale = max(1.0, float(np.abs(value).max(initial=0.0)))
        np.testing.assert_allclose(found[name], value, rtol=0, atol=tolerance * scale, err_msg=name)


@settings(max_examples=80)
@given(drawn_circuits(), st.sampled_from((*SYSTEMS, *BESIDE_DATA)), st.sampled_from(CONSOLIDATIONS))
def test_torch_equals_reference_in_float64(drawn: Drawn, system: str, how: cs.Consolidation) -> None:
    circuit = drawn.circuit(system)
    sim = trained(drawn, circuit, how, "torch", "float64")
    oracle = trained(drawn, circuit, how, "reference", "float64")
    compare(sim, oracle, 1e-9)
    data, target = drawn.batch(circuit, np.random.default_rng(1))
    close(sim.predict(data), oracle.predict(data), 1e-9)
    assert sim.evaluate(data, target) == pytest.approx(oracle.evaluate(data, target), rel=1e-9)


@settings(max_examples=20)
@given(drawn_circuits(smooth=True), st.sampled_from(SYSTEMS), st.sampled_from(CONSOLIDATIONS[:2]))
def test_float32_stays_near_float64(drawn: Drawn, system: str, how: cs.Consolidation) -> None:
    """Rounding of 6e-8 a number, enlarged by a few normalizations of small variance: 1e-3 of the largest number.

    Smooth functions and averages only: at a kink or between two nearly equal maxima rounding decides, rightly so.
    """
    circuit = drawn.circuit(system)
    sim = trained(drawn, circuit, how, "torch", "float32")
    assert all(sim.get_state(name).dtype == np.float32 for name in sim.compiled.states)
    compare(sim, trained(drawn, circuit, how, "reference", "float64"), 1e-3)


@pytest.mark.parametrize("system", SYSTEMS)
def test_stock_circuit(system: str) -> None:
    circuit = cs.load("digits_resnet", learning=system, options={"width1": 3, "width2": 4, "width3": 5})
    random = np.random.default_rng(0)
    images, digits = random.normal(size=(5, 1, 8, 8)), random.integers(0, 10, 5)
    sims = [simulate(circuit, engine=engine) for engine in ("torch", "reference")]
    for sim in sims:
        sim.step(images, digits)
        if "mirror" in sim.compiled.modes:
            sim.run("mirror", noise=noises(sim, np.random.default_rng(1)))
        sim.step(images[:3], digits[:3])  # another size needs no recompilation
    compare(*sims, 1e-9)


def test_answers_through_the_transfer_function() -> None:
    mirror = load_learning("weight_mirror")
    mode = mirror.modes["mirror"].model_copy(update={"answers": "rate"})
    modes = {**mirror.modes, "mirror": mode}
    circuit = cs.load(
        "digits_resnet",
        learning=mirror.model_copy(update={"modes": modes}),
        options={"width1": 3, "width2": 4, "width3": 5},
    )
    sims = [simulate(circuit, engine=engine) for engine in ("torch", "reference")]
    for sim in sims:
        sim.run("mirror", noise=noises(sim, np.random.default_rng(1)))
    compare(*sims, 1e-9)
