"""Systems whose feedback synapses are drawn towards the forward ones: the paper's mirror, and sums of Kunin's
primitives. Against NumPy loops, automatic differentiation of the regularisers, and on the digits."""

import numpy as np
import pytest
import torch

import counterstream as cs
from counterstream.circuits.declarations import LearningSystem
from counterstream.circuits.locality import Finding
from counterstream.engine.errors import SimulationError
from counterstream.models import load_learning

from ..nets import close, once, simulate
from .on_digits import accuracy, matrix_angles, trained
from .small_net import NET, SAMPLES, ByHand, batch, compiled, outer

STEPS = 4


@pytest.mark.parametrize("engine", ["reference", "torch"])
def test_gain_and_leak_by_hand(engine: str) -> None:
    sim = compiled("gain_and_leak_mirror", engine, gain=0.3, leak=0.2)
    hand, random = ByHand(sim), np.random.default_rng(0)
    for step in range(STEPS):
        hand.descend(hand.forward(*batch(step)))
        sim.step(*batch(step))
        noise = {"w2": random.normal(size=(9, 6)), "w3": random.normal(size=(5, 4))}
        answers = {"w2": np.maximum(noise["w2"] @ hand.w["2"].T, 0), "w3": noise["w3"] @ hand.w["3"].T}  # y: at logits
        for layer in "23":
            learned = 0.3 * outer(answers[f"w{layer}"], noise[f"w{layer}"])
            hand.b[layer] = hand.b[layer] + learned - 0.2 * hand.b[layer]
        sim.run("mirror", noise=noise)
    hand.agree(sim)


@pytest.mark.parametrize("engine", ["reference", "torch"])
def test_symmetric_alignment_by_hand(engine: str) -> None:
    sim = compiled("symmetric_alignment", engine, alpha=0.2)
    hand = ByHand(sim)
    for step in range(STEPS):
        old = dict(hand.w)
        hand.descend(hand.forward(*batch(step)))
        for layer in "23":  # all reads precede all writes: it sees the weight as it was before this step
            hand.b[layer] = hand.b[layer] + 0.2 * (old[layer] - hand.b[layer])
        sim.step(*batch(step))
    hand.agree(sim)


@pytest.mark.parametrize("engine", ["reference", "torch"])
@pytest.mark.parametrize("system", ["information_alignment", "activation_alignment"])
def test_alignment_on_data_by_hand(system: str, engine: str) -> None:
    given = {"alpha": 0.2, "beta": 0.1, "gamma": 0.05} if system == "information_alignment" else {"alpha": 0.2}
    sim = compiled(system, engine, **given)
    hand = ByHand(sim)
    for step in range(STEPS):
        hand.descend(hand.forward(*batch(step)))
        sim.step(*batch(step))
        seen = hand.forward(*batch(step))
        new = {}
        for layer, above in (("2", "k"), ("3", "y")):
            below, soma, b = seen.below[layer], seen.soma[above], hand.b[layer]
            if system == "information_alignment":
                new[layer] = b + 0.2 * outer(soma, below) - 0.05 * outer(soma, soma @ b) - 0.1 * b
            else:
                new[layer] = b + 0.2 * outer(soma - below @ b.T, below)
        hand.b = new
        sim.step(batch(step)[0], mode="align")  # it needs no target
    hand.agree(sim)


PRIMITIVES = {
    "decay": ("-w", lambda b, w, x, y: b.square().sum() / 2),
    "amp": ("pre.rate * post.apical", lambda b, w, x, y: -(x * back(y, b)).flatten(1).sum(1).mean()),
    "null": ("-pre.rate * post.soma", lambda b, w, x, y: back(y, b).square().flatten(1).sum(1).mean() / 2),
    "sparse": ("-pre.echo * post.apical", lambda b, w, x, y: forth(x, b).square().flatten(1).sum(1).mean() / 2),
    "self": ("reverse.w", lambda b, w, x, y: -(b * w).sum()),
}
"""Primitive -> its rule, and the regulariser that it descends: of the feedback weights b, the forward weights w, the
activity x below and the soma y above (Kunin et al. 2020, where b and w are matrices)."""

LAYERS = {
    "dense": ("5", "{}", "{dense: {size: 4}}", "one_to_one"),
    "conv": ("[2, 5, 5]", "{}", "{conv: {channels: 3, kernel: 3, stride: 2}}", "flatten"),
}


def forth(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return x @ weight.T if weight.ndim == 2 else torch.nn.functional.conv2d(x, weight, stride=2, padding=1)


def back(y: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return y @ weight if weight.ndim == 2 else torch.nn.functional.conv_transpose2d(y, weight, stride=2, padding=1)


def aligning(rule: str) -> LearningSystem:
    system = load_learning("information_alignment")
    mode = system.modes["align"]
    modes = {"engaged": system.modes["engaged"], "align": type(mode)(clamp="partner", feedback=rule)}
    return system.model_copy(update={"modes": modes, "parameters": {"decay": 0.0}})


def one_layer(layer: str, rule: str) -> cs.Circuit:
    source, declared, wiring, readout = LAYERS[layer]
    text = f"""
populations: {{x: {{input: {source}}}, a: {{transfer: tanh}}, b: {declared}, y: {{loss: squared}}}}
projections:
  - {{from: x, to: a, wiring: one_to_one}}
  - {{name: kernel, from: a, to: b, wiring: {wiring}}}
  - {{from: b, to: y, wiring: {readout}}}
"""
    return cs.loads(text, learning=aligning(rule))


@pytest.mark.parametrize("engine", ["reference", "torch"])
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("name", PRIMITIVES)
def test_each_primitive_descends_its_regulariser(name: str, layer: str, engine: str) -> None:
    rule, regulariser = PRIMITIVES[name]
    sim = once(one_layer(layer, rule), engine=engine)
    images = np.random.default_rng(1).normal(size=(SAMPLES, *sim.circuit.populations["x"].input))
    b = torch.tensor(sim.weights["kernel~"], requires_grad=True)
    w = torch.tensor(sim.weights["kernel"])
    x = torch.tanh(torch.tensor(images))
    regulariser(b, w, x, forth(x, w)).backward()
    before = sim.weights["kernel~"]
    sim.step(images, mode="align")
    assert b.grad is not None
    close(sim.weights["kernel~"] - before, -b.grad.numpy(), 1e-11)
    close(sim.weights["kernel"], w.numpy(), 1e-15)


def test_what_is_not_local_in_the_primitives_is_said() -> None:
    verdicts = {name: cs.check(one_layer("dense", rule)) for name, (rule, _) in PRIMITIVES.items()}
    assert [name for name, report in verdicts.items() if not report.local] == ["sparse", "self"]
    said = {name: dict(report.violations).get("kernel~") for name, report in verdicts.items()}
    assert said["self"] == Finding("transport", "in mode 'align' its rule reads reverse.w, a weight of 'kernel'")
    assert said["sparse"] == Finding(
        "transport",
        "in mode 'align' its rule reads pre.echo, what its presynaptic neuron would get back through the weights of "
        "all synapses that leave it",
    )


def test_fan_in_adds_up_to_one_reconstruction() -> None:
    """post.soma is what all feedback synapses of a neuron together make of the activity above."""
    text = NET.replace("projections:", "projections:\n  - {name: skip, from: h, to: y, wiring: {dense: {size: 3}}}")
    sim = simulate(cs.loads(text, learning="information_alignment"))
    before = {label: sim.weights[label] for label in ("w2~", "skip~")}
    sim.step(batch(0)[0], mode="align")
    expected = sim.read("k.soma") @ before["w2~"] + sim.read("y.soma") @ before["skip~"]
    close(sim.read("h~.soma"), expected, 1e-12)


def test_nothing_else_moves_while_feedback_neurons_are_clamped() -> None:
    """Neither running statistics nor what the engaged mode moves; and what is watched is watched where it is."""
    sim = cs.compile(cs.load("plain_cnn", learning="information_alignment"), watch=["pooled~.gated", "pooled.rate"])
    images, digits = np.random.default_rng(0).normal(size=(6, 1, 8, 8)), np.arange(6)
    sim.step(images, digits)
    before = sim.state_dict()
    assert sim.step(images, digits, mode="align") == {}
    moved = {name for name, value in sim.state_dict().items() if (value != before[name]).any()}
    assert moved == {"steps/align", *(f"weights/{label}" for label in sim.weights if label.endswith("~"))}
    close(sim.read("answer~.rate"), sim.read("answer.soma"), 1e-7)
    close(sim.read("pooled~.apical"), sim.read("pooled.rate"), 1e-7)
    with pytest.raises(SimulationError, match=r"'pooled~' has no 'gated'"):
        sim.read("pooled~.gated")


# ---- on the digits

FLOORS = {
    "gain_and_leak_mirror": (0.9, 40),
    "symmetric_alignment": (0.95, 3),
    "activation_alignment": (0.93, 80),
    "information_alignment": (0.92, 84),
}
"""The least accuracy, and the largest angle between W and B; with random feedback the hidden layers' exceed 85."""


@pytest.mark.slow
@pytest.mark.parametrize(("system", "floor", "angle"), [(name, *floors) for name, floors in FLOORS.items()])
def test_on_digits(system: str, floor: float, angle: float) -> None:
    sim = trained("plain_cnn", system, epochs=4, rate=0.1, decay=0.02)
    assert accuracy(sim) > floor
    assert max(matrix_angles(sim)) < angle
