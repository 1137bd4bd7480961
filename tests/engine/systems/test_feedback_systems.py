"""Every system's streams and drives against their formulas by finite loops, and what sets each system apart."""

from collections.abc import Iterator
from math import sqrt

import numpy as np
import pytest

import counterstream as cs
from counterstream.engine.angle import angle
from counterstream.engine.simulator import Simulator
from counterstream.models.library import load_learning
from counterstream.testing.conformance.loops import current, current_back, drive

from ..nets import (
    SYSTEMS,
    Array,
    all_close,
    close,
    learned,
    once,
    plain,
    plain_batch,
    residual,
    residual_batch,
    simulate,
)

RECIPROCAL = tuple(name for name in SYSTEMS if name != "direct_feedback_alignment")
DECAY = 0.02

SKIPS = """
populations:
  image: {input: [2, 4, 4]}
  left: {transfer: tanh}
  right: {transfer: softplus}
  sum: {transfer: tanh}
  answer: {transfer: softmax}
projections:
  - {from: image, to: left, wiring: {conv: {channels: 2, kernel: 3}}}
  - {from: image, to: right, wiring: {conv: {channels: 4, kernel: 3, stride: 2}}}
  - {from: left, to: sum, wiring: {conv: {channels: 4, kernel: [3, 2], stride: 2, padding: [1, 0], groups: 2}}}
  - {name: second, from: left, to: sum, wiring: {conv: {channels: 4, kernel: 1, stride: 2}}}
  - {from: right, to: sum, wiring: one_to_one}
  - {from: sum, to: answer, wiring: {dense: {size: 3}}}
  - {from: left, to: answer, wiring: {dense: {size: 3}}}
"""
"""Fan-in and fan-out: two kernels into one sum, a skip, and a population that projects past its neighbour."""


def skips(learning: str) -> cs.Circuit:
    return cs.loads(SKIPS, learning=learning, parameters={"decay": DECAY})


def skips_batch() -> tuple[Array, Array]:
    random = np.random.default_rng(3)
    return random.normal(size=(3, 2, 4, 4)), random.integers(0, 3, 3)


SLOPES = {
    "linear": np.ones_like,
    "tanh": lambda u: 1 - np.tanh(u) ** 2,
    "softplus": lambda u: 1 / (1 + np.exp(-u)),
    "sigmoid": lambda u: np.exp(-u) / (1 + np.exp(-u)) ** 2,
}
RATES = {
    "linear": lambda u: u,
    "tanh": np.tanh,
    "softplus": lambda u: np.log1p(np.exp(u)),
    "sigmoid": lambda u: 1 / (1 + np.exp(-u)),
    "softmax": lambda u: np.exp(u) / np.exp(u).sum(axis=1, keepdims=True),
}


class ByLoops:
    """One engaged step of a circuit without normalization, from the simulator's weights alone, synapse by synapse."""

    def __init__(self, sim: Simulator, data: Array, digits: Array) -> None:
        self.graph = sim.compiled.graph
        self.weights = dict(sim.weights)
        self.rates: dict[str, Array] = {"image": data}
        self.deltas: dict[str, Array] = {}
        before: dict[str, Array] = {}
        for name in self.graph.forward[1:]:
            arriving = [self._through(label, self.rates) for label in self.graph.into(name)]
            before[name] = sum(arriving) + self._bias(sim, name)
            self.rates[name] = RATES[self.graph.populations[name].transfer](before[name])
        for name in self.graph.feedback:
            partner = self.graph.populations[name].partner
            transfer = self.graph.populations[partner].transfer
            if transfer == "softmax":
                self.deltas[name] = self.rates[partner] - np.eye(3)[digits]
            else:
                arriving = [self._through(label, self.deltas) for label in self.graph.into(name)]
                self.deltas[name] = sum(arriving) * SLOPES[transfer](before[partner])

    def _bias(self, sim: Simulator, name: str) -> Array:
        bias = sim.biases.get(name, np.zeros(self.graph.shapes[name][0]))
        return bias.reshape(-1, *(1,) * (len(self.graph.shapes[name]) - 1))

    def _through(self, label: str, activities: dict[str, Array]) -> Array:
        projection, geometry = self.graph.projections[label], self.graph.geometries[label]
        pre = activities[projection.source]
        if not geometry.wiring.weighted:
            return pre  # a skip, either way
        carry = current_back if projection.reverse_of else current
        return carry(geometry, self.weights[label], pre)

    def weight_drives(self) -> Iterator[tuple[str, Array]]:
        """-delta_b y_a - decay w of every forward projection."""
        for label, projection in self.graph.projections.items():
            if self.graph.weighted(label) and not self.graph.is_feedback(label):
                below, above = self.rates[projection.source], self.deltas[f"{projection.target}~"]
                yield label, self._correlation(label, below, above) - DECAY * self.weights[label]

    def reverse_drives(self) -> Iterator[tuple[str, Array]]:
        """Kolen-Pollack: of every reverse projection, -delta_b y_a - decay w, from its own two ends."""
        for label, projection in self.graph.projections.items():
            if self.graph.weighted(label) and projection.reverse_of:
                above = self.deltas[projection.source]
                below = self.rates[self.graph.populations[projection.target].partner]
                yield label, self._correlation(label, below, above) - DECAY * self.weights[label]

    def _correlation(self, label: str, below: Array, above: Array) -> Array:
        return drive(self.graph.geometries[label], lambda w, low, up: -below[:, *low] * above[:, *up])

    def bias_drives(self) -> Iterator[tuple[str, Array]]:
        for name, delta in self.deltas.items():
            yield name.removesuffix("~"), -delta.sum(axis=tuple(range(2, delta.ndim))).mean(axis=0)


@pytest.mark.parametrize("net", ["plain", "skips"])
@pytest.mark.parametrize("system", SYSTEMS)
def test_one_step_by_finite_loops(system: str, net: str) -> None:
    circuit, batch = (plain(system, decay=DECAY), plain_batch()) if net == "plain" else (skips(system), skips_batch())
    sim = once(circuit, seed=1)
    loops = ByLoops(sim, *batch)
    moved = learned(sim, *batch)
    for name, rate in (loops.rates | loops.deltas).items():
        close(sim.read(f"{name}.rate"), rate, 1e-12, name)
    expected = {f"weights/{label}": value for label, value in loops.weight_drives()}
    expected |= {f"bias/{name}": value for name, value in loops.bias_drives()}
    if system == "kolen_pollack":
        expected |= {f"weights/{label}": value for label, value in loops.reverse_drives()}
    assert len(expected) >= 7
    for name, value in moved.items():
        if name in expected:
            close(value, expected.pop(name), 1e-11, name)
        elif not name.startswith("steps/"):
            assert not value.any(), f"{name} has no rule"
    assert not expected


@pytest.mark.parametrize("system", SYSTEMS)
def test_gains_and_biases_by_their_formulas(system: str) -> None:
    sim = once(residual(learning=system))
    moved = learned(sim, *residual_batch())
    gains = [name.removeprefix("gain/") for name in moved if name.startswith("gain/")]
    assert len(gains) == 5
    for name in gains:
        gated, x = sim.read(f"{name}~.gated"), sim.read(f"{name}.drive")
        gain, bias = np.zeros(x.shape[1]), np.zeros(x.shape[1])
        for n, c, row, column in np.ndindex(*x.shape):
            gain[c] -= gated[n, c, row, column] * x[n, c, row, column] / len(x)
            bias[c] -= gated[n, c, row, column] / len(x)
        close(moved[f"gain/{name}"], gain, 1e-10)
        close(moved[f"bias/{name}"], bias, 1e-10)


@pytest.mark.parametrize("system", ["feedback_alignment", "kolen_pollack", "weight_mirror"])
def test_with_b_equal_to_w_an_engaged_step_is_backprops(system: str) -> None:
    how = {"consolidation": cs.Consolidation(rate=0.1, momentum=0.9)}
    exact, sim = (simulate(residual(learning=name, decay=DECAY), **how) for name in ("backprop", system))
    for label in sim.weights:
        if label.endswith("~"):
            assert angle(sim.weights[label], sim.weights[label.removesuffix("~")]) > 45  # drawn with a seed of its own
            sim.weights[label] = sim.weights[label.removesuffix("~")]
    assert dict(sim.delta_angles(*residual_batch())) == pytest.approx(exact.delta_angles(*residual_batch()), abs=1e-6)
    assert sim.step(*residual_batch()) == pytest.approx(exact.step(*residual_batch()), rel=1e-12)
    found = sim.state_dict()
    all_close(
        {name: found[name] for name in exact.state_dict() if name in exact.compiled.states},
        {name: value for name, value in exact.state_dict().items() if name in exact.compiled.states},
        1e-10,
    )


def test_sign_symmetry_is_backprop_through_scaled_signs() -> None:
    sim = simulate(residual(learning="sign_symmetry"))
    shapes = set()
    for label in sim.weights:
        if label.endswith("~"):
            weight = sim.weights[label.removesuffix("~")]
            weight.flat[0] = 0.0  # sign(0) = 0
            sim.weights[label.removesuffix("~")] = weight
            out, _, *kernel = weight.shape
            scale = sqrt(2 / (np.prod(kernel, dtype=int) * out))
            close(sim.weights[label], np.sign(weight) * scale, 1e-15)
            assert sim.weights[label].flat[0] == 0.0
            shapes.add(weight.shape[2:])
    assert shapes == {(), (1, 1), (3, 3)}
    # with W put to B the whole feedback stream is exact
    for label in list(sim.weights):
        if label.endswith("~"):
            sim.weights[label.removesuffix("~")] = sim.weights[label]
    assert max(sim.delta_angles(*residual_batch()).values()) < 1e-6


@pytest.mark.parametrize("system", ["feedback_alignment", "direct_feedback_alignment"])
def test_random_feedback_never_moves(system: str) -> None:
    sim = simulate(residual(learning=system, decay=0.1), consolidation=cs.Consolidation(rate=0.1, momentum=0.9))
    feedback = [label for label in sim.weights if sim.compiled.graph.is_feedback(label)]
    before = {label: sim.weights[label] for label in feedback}
    for step in range(3):
        sim.step(*residual_batch(seed=step))
    assert len(feedback) == {"feedback_alignment": 6, "direct_feedback_alignment": 8}[system]
    for label in feedback:
        np.testing.assert_array_equal(sim.weights[label], before[label])
        assert f"trace/engaged/weights/{label}" not in sim.state_dict()


# ---- direct feedback alignment


def test_direct_errors_do_not_pass_through_any_layer() -> None:
    """Deltas change only by what the error at the output and the neurons' own slopes do."""
    sim, other = (simulate(plain("direct_feedback_alignment")) for _ in range(2))
    images, digits = plain_batch()
    # Other weights from h to the output that leave the error as it is, since it sees W h alone.
    weight = other.weights["h->answer"]
    sim.step(images, digits)
    rates = sim.read("h.rate")
    kept = np.linalg.svd(rates)[2][len(rates) :]  # directions in which h is silent in this batch
    other.weights["h->answer"] = weight + 5 * np.random.default_rng(0).normal(size=(3, len(kept))) @ kept
    other.step(images, digits)
    close(other.read("answer~.rate"), sim.read("answer~.rate"), 1e-9)
    for name in ("v1~", "v2~", "h~"):
        close(other.read(f"{name}.rate"), sim.read(f"{name}.rate"), 1e-9)
    exact, changed = (simulate(plain("backprop")) for _ in range(2))
    changed.weights["h->answer"] = other.weights["h->answer"]
    for control in (exact, changed):
        control.step(images, digits)
    found, before = changed.read("h~.rate"), exact.read("h~.rate")
    assert np.abs(found - before).max() > 0.1 * np.abs(before).max()  # backprop's h notices


def test_direct_feedback_has_one_projection_for_each_population_that_learns_and_none_along_skips() -> None:
    graph = simulate(residual(learning="direct_feedback_alignment")).compiled.graph
    into = {label: p for label, p in graph.projections.items() if graph.is_feedback(label)}
    learning = {name for name in graph.forward if graph.learns(name)} - {"answer"}
    assert learning == {"stem", "entry1", "hidden1", "sum1", "entry2", "hidden2", "sum2", "top"}  # not the pools
    assert {p.target.removesuffix("~") for p in into.values()} == learning
    assert {p.source for p in into.values()} == {"answer~"}
    assert not any(p.reverse_of for p in into.values())


@pytest.mark.parametrize("onto", ["shared", "full"])
def test_direct_feedback_onto_maps(onto: str) -> None:
    system = load_learning("direct_feedback_alignment")
    feedback = system.feedback.model_copy(update={"onto_maps": onto})
    sim = simulate(cs.loads(SKIPS, learning=system.model_copy(update={"feedback": feedback})))
    label = "answer~->left~"
    assert sim.weights[label].shape == ((2, 3) if onto == "shared" else (2 * 4 * 4, 3))
    sim.step(*skips_batch())
    error, soma = sim.read("answer~.rate"), sim.read("left~.soma")
    expected = np.zeros_like(soma)
    for n, c, row, column in np.ndindex(*soma.shape):
        neuron = c if onto == "shared" else (c * 4 + row) * 4 + column
        expected[n, c, row, column] = sim.weights[label][neuron] @ error[n]
    close(soma, expected, 1e-12)


def test_sums_of_direct_feedback_carry_no_delta_of_their_neighbours() -> None:
    """The skip from right to sum hands no error down: right's delta is that of its own direct projection."""
    sim = simulate(skips("direct_feedback_alignment"))
    sim.weights["answer~->right~"] = np.zeros((4, 3))
    sim.step(*skips_batch())
    assert not sim.read("right~.rate").any()
    assert sim.read("sum~.rate").any()
