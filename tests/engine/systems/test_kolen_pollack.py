"""Kolen-Pollack: forward and reverse synapses share a drive and a decay, so that their difference decays away."""

import numpy as np
import pytest

import counterstream as cs
from counterstream.engine.angle import angle
from counterstream.engine.simulator import Simulator

from ..nets import close, residual, residual_batch, simulate

DECAY = 0.05


def reverses(sim: Simulator) -> list[str]:
    return [label for label in sim.weights if label.endswith("~")]


def differences(sim: Simulator) -> dict[str, np.ndarray]:
    return {label: sim.weights[label.removesuffix("~")] - sim.weights[label] for label in reverses(sim)}


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_the_difference_follows_its_exact_recurrence(momentum: float) -> None:
    """d = W - B, v the difference of the traces: v' = momentum v + decay d, d' = d - rate v', whatever the data."""
    sim = simulate(
        residual(learning="kolen_pollack", decay=DECAY), consolidation=cs.Consolidation(rate=0.1, momentum=momentum)
    )
    expected = differences(sim)
    start = {label: np.abs(d).max() for label, d in expected.items()}
    trace = {label: np.zeros_like(d) for label, d in expected.items()}
    for step in range(100):
        sim.step(*residual_batch(seed=step % 7))
        for label, d in expected.items():
            trace[label] = momentum * trace[label] + DECAY * d
            expected[label] = d - 0.1 * trace[label]
    found = differences(sim)
    assert len(found) == 6
    for label, d in expected.items():
        np.testing.assert_allclose(found[label], d, rtol=0, atol=1e-10 * start[label], err_msg=label)
        assert np.abs(found[label]).max() < (0.8 if momentum == 0 else 0.05) * start[label]


def test_decoupled_decay_shrinks_the_difference_too() -> None:
    """d' = (1 - rate decay) d: equal drives make equal moments on both sides."""
    sim = simulate(
        residual(learning="kolen_pollack", decay=DECAY),
        consolidation=cs.Consolidation(optimizer="adamw", rate=0.05),
    )
    before = differences(sim)
    for step in range(10):
        sim.step(*residual_batch(seed=step))
    for label, d in differences(sim).items():
        close(d, before[label] * (1 - 0.05 * DECAY) ** 10, 1e-10, label)


@pytest.mark.parametrize(
    ("how", "decay", "shared"),
    [
        (cs.Consolidation(rate=0.1, momentum=0.9), DECAY, False),  # of a shared one, W - B would learn nothing
        (cs.Consolidation(rate=0.1, momentum=0.9), 0.0, True),
        (cs.Consolidation(optimizer="adamw", rate=0.05), DECAY, True),
    ],
)
def test_synapse_and_reverse_share_a_trace_where_it_gathers_the_drive_alone(
    how: cs.Consolidation, decay: float, shared: bool
) -> None:
    sim = simulate(residual(learning="kolen_pollack", decay=decay), consolidation=how)
    traced = {name.removeprefix("trace/engaged/weights/") for name in sim.state_dict() if name.startswith("trace/")}
    assert all((label in traced) != shared for label in reverses(sim))
    assert all(label.removesuffix("~") in traced for label in reverses(sim))


def test_without_decay_the_difference_stays() -> None:
    sim = simulate(
        residual(learning="kolen_pollack", decay=0.0), consolidation=cs.Consolidation(rate=0.1, momentum=0.9)
    )
    before, started = differences(sim), {label: sim.weights[label] for label in reverses(sim)}
    sim.step(*residual_batch())
    for label, d in differences(sim).items():
        close(d, before[label], 1e-13)
        assert (sim.weights[label] != started[label]).any()  # though both moved


def test_b_comes_to_mirror_w() -> None:
    sim = simulate(
        residual(learning="kolen_pollack", decay=0.1), consolidation=cs.Consolidation(rate=0.1, momentum=0.9)
    )
    assert min(angle(sim.weights[label], sim.weights[label.removesuffix("~")]) for label in reverses(sim)) > 45
    for step in range(100):
        sim.step(*residual_batch(seed=step % 5))
    assert max(angle(sim.weights[label], sim.weights[label.removesuffix("~")]) for label in reverses(sim)) < 5


def test_one_correlation_serves_both_directions() -> None:
    """31 synapse groups learn in the stock circuit, 16 of them forward; each correlation is contracted once."""
    compiled = simulate(cs.load("digits_resnet", learning="kolen_pollack")).compiled
    programs = compiled.modes["engaged"]
    weights = [learner for learner in programs.learners if learner.state.startswith("weights/")]
    assert len(weights) == 31
    assert programs.observe.count("correlate") == 16
    backprop = simulate(cs.load("digits_resnet", learning="backprop")).compiled.modes["engaged"].observe
    assert len(programs.observe) - len(backprop) == 15  # nothing more than B itself as an input
