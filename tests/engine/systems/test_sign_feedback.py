"""Feedback by the signs of W, with uniform, fixed and redrawn magnitudes: against loops by hand, and theory."""

from itertools import pairwise
from math import acos, degrees, pi, sqrt

import numpy as np
import pytest

import counterstream as cs
from counterstream.engine.angle import angle
from counterstream.engine.errors import SimulationError
from counterstream.engine.simulator import Simulator

from ..nets import PLAIN, Array, close, plain, plain_batch, residual, residual_batch, simulate
from .by_hand import C2, D3, D4, ByHand, agree

RATE, DECAY, STEPS = 0.3, 0.02, 6
REVERSED = (C2, D3, D4)
RANDOM = ("fixed_random_sign_feedback", "batchwise_random_sign_feedback")
SIGNS = ("sign_symmetry", "uniform_sign_feedback", *RANDOM)
INITIALS = (
    "kaiming", "{kaiming: {distribution: uniform, fan: out}}", "xavier", "{normal: {deviation: 0.2}}",
    "{normal: {mean: -0.3, deviation: 0.1}}", "{uniform: {bound: 0.2}}", "{constant: {value: -0.2}}", "zeros",
)  # fmt: skip


def begun(system: str, **how: object) -> tuple[Simulator, ByHand]:
    circuit = plain(system, decay=DECAY)
    sim = simulate(circuit, seed=5, consolidation=cs.Consolidation(rate=RATE), **how)
    return sim, ByHand(sim, rate=RATE, decay=DECAY)


def how_large(system: str, sim: Simulator, random: np.random.Generator) -> dict[str, Array]:
    """The magnitudes of one step, from each system's definition; W was drawn by He's initialiser."""
    if system == "fixed_random_sign_feedback":
        return {label: np.abs(sim.get_state(f"magnitude/{label}~")) for label in REVERSED}
    shapes = {label: sim.weights[label].shape for label in REVERSED}
    if system == "batchwise_random_sign_feedback":
        return {label: random.normal(size=shape) for label, shape in shapes.items()}
    ins = {C2: 3 * 9, D3: 4 * 9, D4: 6}
    outs = {C2: 4 * 9, D3: 6, D4: 3}
    scale = {label: sqrt(2 / (ins if system == "uniform_sign_feedback" else outs)[label]) for label in REVERSED}
    return {label: np.full(shape, scale[label]) for label, shape in shapes.items()}


@pytest.mark.parametrize("engine", ["torch", "reference"])
@pytest.mark.parametrize("system", SIGNS)
def test_steps_by_hand(system: str, engine: str) -> None:
    sim, hand = begun(system, engine=engine)
    start, random = {label: np.sign(hand.w[label]) for label in REVERSED}, np.random.default_rng(0)
    fixed = how_large(system, sim, random)
    for step in range(STEPS):
        images, digits = plain_batch(seed=step)
        drawn = how_large(system, sim, random) if system == "batchwise_random_sign_feedback" else fixed
        given = {f"{label}~": m for label, m in drawn.items()} if drawn is not fixed else {}
        sim.step(images, digits, noise=given)
        at = hand.forward(images, digits)
        b = {label: np.abs(drawn[label]) * np.sign(hand.w[label]) for label in REVERSED}
        hand.learn(at, hand.down_the_chain(at, b))
        agree(sim, hand)
    assert any((np.sign(hand.w[label]) != start[label]).any() for label in REVERSED), "no sign has moved"


@pytest.mark.parametrize("system", SIGNS)
def test_the_angle_that_is_reported_is_that_of_the_weights_that_carry_errors(system: str) -> None:
    """BioTorch reports 80 degrees for frSF where 35 are true."""
    sim = simulate(residual(learning=system, decay=0.02), consolidation=cs.Consolidation(rate=0.2))
    for step in range(4):
        shown = {label: sim.weights[label] for label in sim.weights}
        reported = sim.alignment(*residual_batch()).matrix_angles
        assert len(reported) == 6
        for label, degree in reported.items():
            assert angle(shown[label], shown[f"{label}~"]) == pytest.approx(degree, abs=1e-6)
            assert degree < 90  # signs agree
        sim.step(*residual_batch(seed=step))
        for label in reported:  # and by these the step was made
            b, w = shown[f"{label}~"], shown[label]
            assert (np.sign(b) == np.sign(w)).all()
        delta = sim.read("answer~.rate")
        close(sim.read("pooled~.soma")[:, :, 0, 0], delta @ shown["pooled->answer~"], 1e-12)


@pytest.mark.parametrize("system", SIGNS)
def test_angles_at_the_start_are_those_of_theory(system: str) -> None:
    """cos = E|w| / rms(w) for equal magnitudes, and that squared for independent ones: sqrt(2 / pi) for normal W,
    sqrt(3) / 2 for uniform W."""
    text = """
populations: {x: {input: 300}, h: {transfer: tanh}, k: {transfer: tanh}, y: {transfer: softmax}}
projections:
  - {from: x, to: h, wiring: {dense: {size: 300}}}
  - {name: normal, from: h, to: k, wiring: {dense: {size: 300}}}
  - {name: uniform, from: k, to: y, wiring: {dense: {size: 300}}, initial: {uniform: {bound: 0.1}}}
"""
    sim = simulate(cs.loads(text, learning=system))
    found = sim.alignment(np.ones((1, 300)), [0])
    for label, alike in (("normal", sqrt(2 / pi)), ("uniform", sqrt(3) / 2)):
        cosine = alike**2 if system in RANDOM else alike
        assert found.matrix_angles[label] == pytest.approx(degrees(acos(cosine)), abs=0.3)
        if system != "sign_symmetry":
            assert found.norm_ratios[label] == pytest.approx(1, rel=0.01)


@pytest.mark.parametrize("initial", INITIALS)
@pytest.mark.parametrize("system", ["uniform_sign_feedback", *RANDOM])
def test_every_initialiser_will_do(system: str, initial: str) -> None:
    """BioTorch's brSF crashes where W is drawn after He."""
    text = PLAIN.replace("wiring:", f"initial: {initial}, wiring:")
    sim = simulate(cs.loads(text, learning=system), consolidation=cs.Consolidation(rate=0.1))
    for label in (C2, D3, D4):  # W may start at 0, but not stay there
        if initial == "zeros":
            sim.weights[label] = np.random.default_rng(0).normal(size=sim.weights[label].shape) * 0.1
    before = sim.weights["image->v1"]
    sim.step(*plain_batch())
    assert (sim.weights["image->v1"] != before).all()
    assert cs.loads(cs.dump(sim.circuit)) == sim.circuit


@pytest.mark.parametrize("system", RANDOM)
def test_who_is_drawn_anew_and_who_stays(system: str) -> None:
    sim, twin = (begun(system)[0] for _ in range(2))
    drawn = []
    for step in range(3):
        for each in (sim, twin):
            each.step(*plain_batch(seed=step))
        drawn.append(np.abs(sim.weights[f"{D3}~"]))
        np.testing.assert_array_equal(sim.weights[f"{D3}~"], twin.weights[f"{D3}~"])  # from (seed, mode, name, step)
    moved = [(a != b).mean() for a, b in pairwise(drawn)]
    assert moved == ([0, 0] if system == "fixed_random_sign_feedback" else [1, 1])
    resumed = begun(system)[0]
    resumed.load_state_dict(sim.state_dict())
    for each in (sim, resumed):
        each.step(*plain_batch(seed=9))
    for name, value in sim.state_dict().items():
        np.testing.assert_array_equal(resumed.state_dict()[name], value, err_msg=name)
    other = simulate(plain(system, decay=DECAY), seed=6)
    assert (np.abs(other.weights[f"{D3}~"]) != np.abs(begun(system)[0].weights[f"{D3}~"])).all()


def test_zeros_give_way_to_kaiming_for_magnitudes_alone() -> None:
    text = PLAIN.replace("dense: {size: 3}}", "dense: {size: 3}}, initial: zeros")
    for system, initial in (("fixed_random_sign_feedback", "kaiming"), ("sign_symmetry", "zeros")):
        projections = {p.label: p for p in cs.expand(cs.loads(text, learning=system)).projections}
        assert (projections[D4].initial.kind, projections[f"{D4}~"].initial.kind) == ("zeros", initial)


@pytest.mark.parametrize(
    ("system", "said"),
    [
        ("uniform_sign_feedback", ""),
        ("fixed_random_sign_feedback", ", with magnitudes of its own that never change"),
        ("batchwise_random_sign_feedback", ", with magnitudes of its own, drawn anew at every step"),
    ],
)
def test_the_proof_says_that_signs_are_transported(system: str, said: str) -> None:
    report = cs.check(plain(system))
    assert report.transports_weights
    found = {subject: finding.message for subject, finding in report.violations}
    assert found.keys() == {f"{label}~" for label in REVERSED}
    assert found[f"{D3}~"] == f"sign_of tie: its weights are the scaled signs of those of '{D3}'{said}"


def test_magnitudes_from_outside_must_fit() -> None:
    sim = begun("batchwise_random_sign_feedback")[0]
    with pytest.raises(SimulationError, match=r"'v2->h~' takes an array of shape \[6, 36\] \(got \[6, 4\]\)"):
        sim.step(*plain_batch(), noise={f"{D3}~": np.ones((6, 4))})
    with pytest.raises(SimulationError, match="mode 'engaged' has no dropout at 'v2->h'"):
        sim.step(*plain_batch(), noise={D3: np.ones((6, 36))})
