"""How feedback stands to feedforward, as programs measure it: against NumPy, and where theory says what must come."""

import numpy as np
import pytest

import counterstream as cs
from counterstream.engine.angle import angle
from counterstream.engine.compiler.compile import compile_circuit

from ..nets import SYSTEMS, residual, residual_batch, simulate

HIDDEN = ["stem", "entry1", "hidden1", "sum1", "reduced", "entry2", "hidden2", "sum2", "top", "pooled"]


@pytest.mark.parametrize("learning", SYSTEMS)
def test_engines_agree(learning: str) -> None:
    found = [
        simulate(residual(learning=learning), engine=engine).alignment(*residual_batch())
        for engine in ("reference", "torch")
    ]
    for what in ("matrix_angles", "norm_ratios", "delta_angles", "local_angles"):
        one, other = (dict(getattr(alignment, what)) for alignment in found)
        assert one == pytest.approx(other, abs=1e-6, nan_ok=True), what


def test_matrix_angles_and_norms_are_those_of_the_weights() -> None:
    sim = simulate(residual(learning="feedback_alignment"))
    found = sim.alignment(*residual_batch())
    assert len(found.matrix_angles) == 6  # every plastic projection but the first
    for label, degrees in found.matrix_angles.items():
        w, b = sim.weights[label], sim.weights[f"{label}~"]
        assert degrees == pytest.approx(angle(w, b), abs=1e-9)
        assert found.norm_ratios[label] == pytest.approx(np.linalg.norm(b) / np.linalg.norm(w))


def test_taps_that_no_position_sees_do_not_count() -> None:
    text = """
populations: {x: {input: [2, 1, 1]}, h: {transfer: tanh}, g: {transfer: tanh}, f: {}, y: {transfer: softmax}}
projections:
  - {from: x, to: h, wiring: {conv: {channels: 3, kernel: 3}}}
  - {name: seen, from: h, to: g, wiring: {conv: {channels: 3, kernel: 3}}}
  - {from: g, to: f, wiring: flatten}
  - {from: f, to: y, wiring: {dense: {size: 2}}}
learning: feedback_alignment
"""
    sim = simulate(cs.loads(text))
    random = np.random.default_rng(0)
    sim.weights["seen"], sim.weights["seen~"] = random.normal(size=(2, 3, 3, 3, 3))
    degrees = sim.alignment(random.normal(size=(4, 2, 1, 1)), [0, 1, 1, 0]).matrix_angles["seen"]
    w, b = (sim.weights[name][:, :, 1, 1] for name in ("seen", "seen~"))
    assert degrees == pytest.approx(angle(w, b), abs=1e-9)


def test_local_angles_are_zero_where_feedback_is_exact() -> None:
    exact = simulate(residual()).alignment(*residual_batch())
    assert sorted(exact.local_angles) == sorted(HIDDEN)
    assert set(exact.local_angles.values()) == set(exact.delta_angles.values()) == {0.0}
    # with random weights too, wherever they are not among a population's own reverses: sums and pools are exact
    random = simulate(residual(learning="feedback_alignment")).alignment(*residual_batch()).local_angles
    assert random["top"] == pytest.approx(0, abs=1e-6)
    assert random["reduced"] == pytest.approx(0, abs=1e-6)
    assert min(random[name] for name in ("entry1", "hidden1", "entry2", "hidden2", "pooled")) > 20


def test_local_angles_are_those_of_w_for_b_under_the_circuits_deltas() -> None:
    sim = simulate(residual(learning="feedback_alignment"))
    local = sim.alignment(*residual_batch()).local_angles
    seen = sim.observe(["answer~.rate", "pooled~.soma"], *residual_batch())
    brought = seen["answer~.rate"] @ sim.weights["pooled->answer"]
    assert local["pooled"] == pytest.approx(angle(seen["pooled~.soma"], brought), abs=1e-6)
    # the delta above the last layer is exact, so there the local angle is the delta angle at a linear population
    assert local["pooled"] == pytest.approx(sim.delta_angles(*residual_batch())["pooled"], abs=1e-6)


def test_the_program_returns_numbers_and_shares_the_activities() -> None:
    compiled = compile_circuit(residual(learning="feedback_alignment"))
    program, alone = compiled.alignment, compiled.modes["engaged"].observe
    assert program.count("project") == alone.count("project")
    assert all(
        program.values[index].shape == () and not program.values[index].batched for index in program.results.values()
    )


def test_direct_feedback_has_local_angles_and_no_matrix_angles() -> None:
    found = simulate(residual(learning="direct_feedback_alignment")).alignment(*residual_batch())
    assert found.matrix_angles == found.norm_ratios == {}
    assert found.local_angles["hidden2"] > 20


def test_observing_is_what_a_step_finds_and_changes_nothing() -> None:
    sim, names = simulate(residual(learning="kolen_pollack")), ["hidden1.rate", "hidden1~.rate", "stem~.soma"]
    state = sim.state_dict()
    seen = sim.observe(names, *residual_batch())
    assert list(seen) == names
    for name, array in sim.state_dict().items():
        np.testing.assert_array_equal(array, state[name])
    sim.step(*residual_batch())
    for name in names:
        np.testing.assert_array_equal(sim.read(name), seen[name])


def test_what_cannot_be_observed_is_named() -> None:
    with pytest.raises(cs.CounterstreamError, match=r"'hidden1' has no 'rat'\. Did you mean 'rate'"):
        simulate(residual()).observe(["hidden1.rat"], *residual_batch())
