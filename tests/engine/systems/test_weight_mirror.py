"""The weight mirror: B comes to W itself, gain 1 in layers of every kind, and stands at the angle that theory says."""

from math import sqrt
from typing import Any

import numpy as np
import pytest

import counterstream as cs
from counterstream.circuits.declarations import LearningSystem, Rule
from counterstream.circuits.plasticity import answer_of
from counterstream.engine.angle import angle
from counterstream.engine.compiler.mirror import expected_angle_tangent
from counterstream.engine.simulator import Simulator
from counterstream.models.library import load_learning

from ..nets import close, mirror, simulate

LAYERS = {
    "3x3 on 7x7": ("[12, 7, 7]", "{conv: {channels: 10, kernel: 3}}"),
    "3x3 on 1x1": ("[30, 1, 1]", "{conv: {channels: 10, kernel: 3}}"),
    "1x1": ("[40, 3, 3]", "{conv: {channels: 12, kernel: 1}}"),
    "strided": ("[12, 8, 8]", "{conv: {channels: 10, kernel: 3, stride: 2}}"),
    "grouped": ("[16, 5, 5]", "{conv: {channels: 12, kernel: 3, groups: 2}}"),
    "odd": ("[12, 6, 5]", "{conv: {channels: 10, kernel: [3, 2], stride: [1, 2], padding: [2, 1], dilation: [2, 1]}}"),
    "dense": ("[60]", "{dense: {size: 15}}"),
    "dense shared": ("[10, 2, 3]", "{dense: {shared: true}}"),
}


def layer(name: str, system: LearningSystem, transfer: str = "relu", *, twice: bool = False) -> cs.Circuit:
    """One projection of the kind between two normalizing populations, and an output above them.

    `twice`: two kernels from one source into one sum.
    """
    shape, wiring = LAYERS[name]
    readout = "one_to_one" if name == "dense" else "{pool: {kind: average, size: global}}"
    target = "shape: [15, 3, 2], " if name == "dense shared" else ""
    second = f"  - {{name: second, from: a, to: b, wiring: {wiring}}}\n" if twice else ""
    return cs.loads(
        f"""
populations:
  image: {{input: {shape}}}
  a: {{normalize: batch, transfer: relu}}
  b: {{{target}normalize: batch, transfer: {transfer}, initial_gain: 3, initial_bias: 2}}
  read: {{}}
  answer: {{transfer: softmax}}
projections:
  - {{from: image, to: a, wiring: one_to_one}}
  - {{name: kernel, from: a, to: b, wiring: {wiring}}}
{second}  - {{from: b, to: read, wiring: {readout}}}
  - {{from: read, to: answer, wiring: {{dense: {{size: 5}}}}}}
""",
        learning=system,
    )


def seen(sim: Simulator, label: str) -> np.ndarray:
    """Which weights are synapses at all."""
    unseen = sim.compiled.graph.geometries[label].unseen
    shape = sim.weights[label].shape
    return np.ones(shape, bool) if unseen is None else ~np.broadcast_to(unseen, shape)


def stand(sim: Simulator, *labels: str, settle: int = 60, samples: int = 16) -> dict[str, tuple[float, float]]:
    """(gain, mean tangent of the angle) of mirrors that have settled, over some of their steps."""
    forward = {label: sim.weights[label][seen(sim, label)] for label in labels}
    found, tangents = {label: np.zeros_like(w) for label, w in forward.items()}, dict.fromkeys(labels, 0.0)
    sim.run("mirror", steps=settle)
    for _ in range(samples):
        sim.run("mirror", steps=5)
        for label, w in forward.items():
            b = sim.weights[f"{label}~"][seen(sim, label)]
            found[label] += b / samples
            tangents[label] += np.tan(np.radians(angle(b, w))) / samples
    return {label: (float(found[label] @ w / (w @ w)), tangents[label]) for label, w in forward.items()}


def theory(sim: Simulator, label: str) -> float:
    compiled = sim.compiled
    plasticity = next(p for p in compiled.plasticity if p.subject == f"{label}~" and p.mode == "mirror")
    mode = compiled.circuit.modes["mirror"]
    answer = answer_of(compiled.graph, label, mode)
    return expected_angle_tangent(mode, compiled.graph.geometries[label], plasticity, answer)


def check(sim: Simulator, *labels: str) -> None:
    for label, (gain, tangent) in stand(sim, *labels).items():
        assert gain == pytest.approx(1, abs=0.02), label
        assert tangent == pytest.approx(theory(sim, label), rel=0.1), label


@pytest.mark.parametrize("name", LAYERS)
def test_gain_is_one_and_the_angle_follows_theory(name: str) -> None:
    check(simulate(layer(name, mirror(samples={"per_input": 4}))), "kernel")


def test_two_kernels_into_one_sum_do_not_mix() -> None:
    check(simulate(layer("3x3 on 7x7", mirror(samples={"per_input": 4}), twice=True)), "kernel", "second")


@pytest.mark.parametrize("transfer", ["relu", "linear"])
def test_gain_is_one_through_the_transfer_function_too(transfer: str) -> None:
    """A relu hides half of what is there: slope 1/2, twice the variance. The output answers at its logits."""
    sim = simulate(layer("3x3 on 7x7", mirror(answers="rate", samples={"per_input": 4}), transfer))
    check(sim, "kernel", "read->answer")


@pytest.mark.parametrize("noise", ["uniform", "rademacher"])
def test_gain_is_one_for_noise_of_any_kind_and_size(noise: str) -> None:
    check(simulate(layer("dense", mirror(fires={"noise": noise, "scale": 0.3}, samples={"per_input": 4}))), "kernel")


@pytest.mark.parametrize("noise", ["normal", "uniform", "rademacher"])
def test_few_inputs_stand_where_their_kurtosis_puts_them(noise: str) -> None:
    """Four inputs leave an error of n + k - 2 = 5, 3.8 and 3, not 4, less what of it lies along W and turns nothing.

    With r = 1 every step is a new measurement. The part along W is the variance of x W'W x over |W|^4.
    """
    system = mirror(fires={"noise": noise}, samples={"maps": 50})
    system = system.model_copy(update={"parameters": {**system.parameters, "r": 1.0}})
    text = "{populations: {x: {input: [3]}, h: {transfer: relu, shape: [4]}, y: {transfer: softmax}}, projections: "
    text += "[{from: x, to: h, wiring: dense}, {name: kernel, from: h, to: y, wiring: {dense: {size: 30}}}]}"
    sim = simulate(cs.loads(text, learning=system))
    w, tangents = sim.weights["kernel"], []
    for _ in range(800):
        sim.run("mirror")
        tangents.append(np.tan(np.radians(angle(sim.weights["kernel~"], w))))
    kurtosis, moments = {"normal": 3.0, "uniform": 1.8, "rademacher": 1.0}[noise], w.T @ w
    assert theory(sim, "kernel") == pytest.approx(sqrt((4 + kurtosis - 2) / 50))
    along = (2 * (moments**2).sum() + (kurtosis - 3) * (np.diag(moments) ** 2).sum()) / np.trace(moments) ** 2
    assert np.mean(np.square(tangents)) == pytest.approx((4 + kurtosis - 2 - along) / 50, rel=0.05)


@pytest.mark.parametrize("name", ["3x3 on 7x7", "strided", "dense", "dense shared"])
def test_the_target_angle_is_met_in_every_layer(name: str) -> None:
    sim = simulate(layer(name, load_learning("weight_mirror")))
    for label, (_, tangent) in stand(sim, "kernel").items():
        # a whole number of maps may give a little more noise than asked for, never less
        assert np.degrees(np.arctan(theory(sim, label))) <= 8 + 1e-9
        assert tangent == pytest.approx(theory(sim, label), rel=0.1)


def test_fixed_maps_are_what_is_drawn() -> None:
    sim = simulate(layer("dense", mirror(samples={"maps": 7})))
    assert {wanted.name: wanted.maps for wanted in sim.compiled.modes["mirror"].noise} == {
        "noise/kernel": 7,
        "noise/read->answer": 7,
    }


# ---- what stands still


def test_a_mirror_step_moves_nothing_but_b() -> None:
    sim = simulate(layer("3x3 on 7x7", load_learning("weight_mirror")), consolidation=cs.Consolidation(momentum=0.9))
    random = np.random.default_rng(0)
    sim.step(random.normal(size=(4, 12, 7, 7)), [0, 1, 2, 3])
    before = sim.state_dict()
    sim.rate = 0.01  # nor does the schedule of the learning rate reach it
    slow = simulate(layer("3x3 on 7x7", load_learning("weight_mirror")), consolidation=cs.Consolidation(momentum=0.9))
    slow.load_state_dict(before)
    sim.run("mirror", steps=3)
    slow.run("mirror", steps=3)
    after, other = sim.state_dict(), slow.state_dict()
    moved = {name for name in before if not np.array_equal(before[name], after[name])}
    assert moved == {"weights/kernel~", "weights/read->answer~", "steps/mirror"}
    assert {name.partition("/")[0] for name in before} >= {"running_mean", "running_variance", "gain", "bias", "trace"}
    for name in moved:
        np.testing.assert_array_equal(after[name], other[name])


def test_taps_that_see_only_padding_do_not_move_at_all() -> None:
    sim = simulate(layer("3x3 on 1x1", load_learning("weight_mirror")))
    before = sim.weights["kernel~"]
    sim.run("mirror", steps=20)
    real = seen(sim, "kernel")
    assert real.sum() == 30 * 10
    np.testing.assert_array_equal(sim.weights["kernel~"][~real], before[~real])
    assert (sim.weights["kernel~"][real] != before[real]).all()


# ---- noise


def test_under_exactly_white_noise_b_relaxes_to_w_by_one_minus_r_a_step() -> None:
    """Orthogonal noise vectors of length sqrt(n) show W without error: what remains is the leak."""
    sim = simulate(layer("dense", mirror(samples={"maps": 60})))
    w, b = sim.weights["kernel"], sim.weights["kernel~"]
    white = {"kernel": np.sqrt(60) * np.linalg.qr(np.random.default_rng(0).normal(size=(60, 60)))[0]}
    for _ in range(5):
        sim.run("mirror", noise=white)
        b = 0.9 * b + 0.1 * w
    close(sim.weights["kernel~"], b, 1e-12)


def test_a_mirror_of_a_moving_w_lags_by_one_over_r_steps() -> None:
    sim = simulate(layer("dense", mirror(samples={"maps": 60})))
    start, pace = sim.weights["kernel"], np.random.default_rng(1).normal(size=(15, 60)) / 100
    sim.weights["kernel~"] = start
    white = {"kernel": np.sqrt(60) * np.eye(60)}
    for step in range(200):
        sim.weights["kernel"] = start + step * pace
        sim.run("mirror", noise=white)
    lag = (start + 200 * pace) - sim.weights["kernel~"]  # the step after the last
    close(lag, 10 * pace, 1e-6)


def test_noise_is_fresh_at_every_step_and_repeats_with_the_seed() -> None:
    circuit = layer("1x1", mirror(samples={"maps": 1}))
    sim, again, other = simulate(circuit, seed=3), simulate(circuit, seed=3), simulate(circuit, seed=4)
    for same in (again, other):
        for label in sim.weights:
            same.weights[label] = sim.weights[label]
    start, reached = sim.weights["kernel~"], []
    for _ in range(3):
        sim.weights["kernel~"] = start
        sim.run("mirror")
        reached.append(sim.weights["kernel~"])
    assert not np.allclose(reached[0], reached[1])
    assert not np.allclose(reached[1], reached[2])
    again.run("mirror", steps=2)
    again.weights["kernel~"] = start
    again.run("mirror")
    np.testing.assert_array_equal(again.weights["kernel~"], reached[2])
    other.run("mirror")
    assert not np.allclose(other.weights["kernel~"], reached[0])


def test_projections_are_driven_by_noise_of_their_own() -> None:
    """Two equal kernels from one source: their mirrors differ, since each was shown other noise."""
    sim = simulate(layer("3x3 on 7x7", mirror(samples={"maps": 1}), twice=True))
    sim.weights["second"] = sim.weights["kernel"]
    sim.weights["second~"] = sim.weights["kernel~"]
    sim.run("mirror")
    assert not np.allclose(sim.weights["second~"], sim.weights["kernel~"])


@pytest.mark.parametrize("answers", ["soma", "rate"])
def test_noise_is_what_the_clamped_partner_of_the_source_fires(answers: str) -> None:
    def mirrored(signal: str) -> np.ndarray:
        rule = {"dw": f"r * ({signal} * pre.rate / (variance * slope) - w)", "positions": "mean"}
        sim = simulate(layer("3x3 on 7x7", mirror(feedback=rule, answers=answers, fires={"scale": 0.5})))
        sim.run("mirror", steps=3)
        return sim.weights["kernel~"]

    np.testing.assert_array_equal(mirrored("post.noise"), mirrored("post.rate"))


# ---- refusals


def test_the_driven_end_has_no_noise() -> None:
    rule = {"dw": "r * (post.rate * pre.noise - w)", "positions": "mean"}
    with pytest.raises(cs.CircuitError, match=r"reads pre\.noise, but noise is injected where the forward"):
        cs.compile(layer("dense", mirror(feedback=rule)))


def test_noise_is_read_only_where_it_is_injected() -> None:
    system = mirror()
    engaged = system.modes["engaged"].model_copy(update={"forward": Rule(dw="post.noise * pre.rate")})
    with pytest.raises(cs.CircuitError, match="noise is there only in a mode that injects it"):
        cs.compile(layer("dense", system.model_copy(update={"modes": {**system.modes, "engaged": engaged}})))


def without_leak(samples: dict[str, Any]) -> cs.Circuit:
    rule = {"dw": "r * post.rate * pre.rate", "positions": "mean"}
    return layer("dense", mirror(feedback=rule, samples=samples))


def test_a_target_angle_needs_a_leak() -> None:
    with pytest.raises(cs.CircuitError) as caught:
        cs.compile(without_leak({"target_angle": 8}))
    message = str(caught.value)
    assert "target_angle needs a rule with a leak: a term -r * w with r between 0 and 2" in message
    assert "has r = 0" in message
    assert "samples: {per_input: ...} or {maps: ...}" in message
    assert "kernel~" in message or "read->answer~" in message


def test_without_a_leak_the_mirror_adds_up() -> None:
    sim = simulate(without_leak({"maps": 60}))
    b = sim.weights["kernel~"]
    sim.run("mirror", noise={"kernel": np.sqrt(60) * np.eye(60)})
    close(sim.weights["kernel~"], b + 0.1 * sim.weights["kernel"], 1e-12)
