"""Systems whose feedback goes straight to every hidden population, against loops by hand."""

import numpy as np
import pytest

import counterstream as cs

from ..nets import PLAIN, Array, plain, plain_batch, residual, residual_batch, simulate
from .by_hand import ByHand, agree

RATE, DECAY, STEPS = 0.3, 0.02, 6
HIDDEN = ("v1", "v2", "h")


@pytest.mark.parametrize("engine", ["torch", "reference"])
def test_direct_kolen_pollack_by_hand(engine: str) -> None:
    """B <- B - rate (y error + decay B): what a forward synapse from there to the output would do."""
    circuit = plain("direct_kolen_pollack", decay=DECAY)
    sim = simulate(circuit, seed=5, engine=engine, consolidation=cs.Consolidation(rate=RATE))
    hand = ByHand(sim, rate=RATE, decay=DECAY)
    b: dict[str, Array] = {name: sim.weights[f"answer~->{name}~"] for name in HIDDEN}
    for step in range(STEPS):
        images, digits = plain_batch(seed=step)
        sim.step(images, digits)
        at = hand.forward(images, digits)
        hand.learn(at, hand.straight(at, at.error, b))
        for name in HIDDEN:
            flat = at.y[name].reshape(len(images), -1)
            b[name] = b[name] - RATE * (flat.T @ at.error / len(images) + DECAY * b[name])
            np.testing.assert_allclose(sim.weights[f"answer~->{name}~"], b[name], rtol=0, atol=1e-10, err_msg=name)
        agree(sim, hand)


def test_direct_kolen_pollack_mirrors_the_last_layer() -> None:
    """W and B between h and the output differ by what decays: B -> W^T, whatever the data."""
    sim = simulate(plain("direct_kolen_pollack", decay=0.1), consolidation=cs.Consolidation(rate=0.5))
    apart = [sim.weights["h->answer"].T - sim.weights["answer~->h~"]]
    for step in range(20):
        sim.step(*plain_batch(seed=step))
        apart.append(sim.weights["h->answer"].T - sim.weights["answer~->h~"])
        np.testing.assert_allclose(apart[-1], apart[-2] * (1 - 0.5 * 0.1), rtol=0, atol=1e-12)
    assert cs.check(plain("direct_kolen_pollack")).local


@pytest.mark.parametrize("engine", ["torch", "reference"])
def test_direct_random_target_projection_by_hand(engine: str) -> None:
    """delta = (B code) * phi', whatever the circuit answers; B stays."""
    circuit = plain("direct_random_target_projection", decay=DECAY)
    sim = simulate(circuit, seed=5, engine=engine, consolidation=cs.Consolidation(rate=RATE))
    hand = ByHand(sim, rate=RATE, decay=DECAY)
    b: dict[str, Array] = {name: sim.weights[f"answer_target->{name}~"] for name in HIDDEN}
    for step in range(STEPS):
        images, digits = plain_batch(seed=step)
        sim.step(images, digits)
        at = hand.forward(images, digits)
        hand.learn(at, hand.straight(at, np.eye(3)[digits], b))
        agree(sim, hand)
    for name in HIDDEN:
        np.testing.assert_array_equal(sim.weights[f"answer_target->{name}~"], b[name])


def test_target_projection_hands_hidden_populations_nothing_that_the_output_answers() -> None:
    sim, other = (simulate(plain("direct_random_target_projection")) for _ in range(2))
    other.weights["h->answer"] = -3 * other.weights["h->answer"]
    for each in (sim, other):
        each.step(*plain_batch())
    assert np.abs(sim.read("answer~.rate") - other.read("answer~.rate")).max() > 0.1
    for name in HIDDEN:
        np.testing.assert_array_equal(sim.read(f"{name}~.rate"), other.read(f"{name}~.rate"))
    assert cs.check(plain("direct_random_target_projection")).local


@pytest.mark.parametrize("loss", ["cross_entropy", "squared", "binary_cross_entropy"])
def test_the_target_that_is_sent_is_the_one_that_the_loss_compares(loss: str) -> None:
    sim = simulate(residual(loss, "direct_random_target_projection"))
    images, target = residual_batch(loss)
    sim.step(images, target)
    code = np.eye(5)[target] if loss == "cross_entropy" else target
    np.testing.assert_array_equal(sim.read("answer_target.rate"), code)
    sent = code @ sim.weights["answer_target->top~"].T
    np.testing.assert_allclose(
        sim.read("top~.soma"), np.broadcast_to(sent[:, :, None, None], sim.read("top~.soma").shape)
    )
    sim.step(images, {"answer": target})  # what carries the target asks for none of its own
    direct = simulate(residual(loss, "direct_feedback_alignment"))
    assert sim.delta_angles(images, target).keys() == direct.delta_angles(images, target).keys()
    assert sim.predict(images).shape == (6, 5)  # and no prediction asks for a target


BY_HAND = """
populations:
  x: {input: 4}
  h: {shape: 3, transfer: tanh}
  y: {shape: 2, transfer: softmax}
  y~: {partner: y}
  h~: {partner: h}
  said: {target: %s}
projections:
  - {name: w1, from: x, to: h, wiring: {dense: {}}, rules: {engaged: "-post.apical * pre.rate"}}
  - {name: w2, from: h, to: y, wiring: {dense: {}}, rules: {engaged: "-post.apical * pre.rate"}}
  - {name: b, from: said, to: h~, wiring: {dense: {}}}
cross:
  - {from: h~, to: h}
  - {from: y~, to: y}
  - {from: h, to: h~, role: gate}
modes: {engaged: {}}
"""


def test_a_target_population_by_hand() -> None:
    """With the name of an output it carries that output's target; with a number of classes, a label of its own."""
    x, classes = np.random.default_rng(0).normal(size=(5, 4)), np.array([0, 1, 1, 0, 1])
    named, own = (simulate(cs.loads(BY_HAND % target)) for target in ("y", "2"))
    named.step(x, classes)
    own.step(x, {"y": classes, "said": classes})
    for name in ("w1", "w2"):
        np.testing.assert_array_equal(named.weights[name], own.weights[name])
    own.step(x, {"y": classes, "said": 1 - classes})
    np.testing.assert_array_equal(own.read("said.rate"), np.eye(2)[1 - classes])
    assert cs.loads(cs.dump(named.circuit)) == named.circuit


def test_the_name_of_the_target_population_must_be_free() -> None:
    text = PLAIN.replace("  h: {", "  answer_target: {transfer: tanh}\n  h: {").replace(
        "projections:", "projections:\n  - {from: v2, to: answer_target, wiring: {dense: {size: 2}}}"
    )
    needed = "'direct_random_target_projection' needs the name 'answer_target' for what carries the target of 'answer'"
    with pytest.raises(cs.CircuitError, match=needed):
        cs.expand(cs.loads(text, learning="direct_random_target_projection"))
