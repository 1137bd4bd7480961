"""What a rule means, on dense and on conv wiring, each point against finite loops over synapses.

(a) all reads of a step precede all writes; (b) fan-in adds; (c) a drive is a mean over the batch and a sum, or a mean,
over the positions that a tap really saw; (d) a term in w alone applies once a weight; (e) a synapse onto padding does
not exist; (f) a rule is a sum of batch means times functions of w.
"""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import counterstream as cs
from counterstream.circuits.wiring import Geometry
from counterstream.engine.simulator import Simulator

from ..loops import counts, current, drive, synapses
from ..nets import Array, all_close, close, learned, once, plain, plain_batch

ENGINES = ("torch", "reference")
WIRINGS = {
    "dense": "{dense: {size: 4}}",
    "dense onto maps": "{dense: {}}",
    "shared": "{dense: {shared: true}}",
    "conv": "{conv: {channels: 4, kernel: 3}}",
    "odd conv": "{conv: {channels: 4, kernel: [3, 2], stride: [2, 1], padding: [2, 1], dilation: [1, 2], groups: 2}}",
    "3x3 on 1x1": "{conv: {channels: 4, kernel: 3, stride: 5}}",
}
"""From a source of 2 x 3 x 4. The last one has a single position: eight of nine taps see nothing."""


def circuit(wiring: str, rule: str, positions: str = "sum", *, modulator: str = "sample") -> cs.Circuit:
    """One plastic projection without any feedback stream."""
    shape = ", shape: [4, 2, 3]" if wiring in ("dense onto maps", "shared") else ""
    return cs.loads(f"""
populations:
  image: {{input: [2, 3, 4]}}
  v: {{transfer: tanh, bias: false{shape}}}
projections:
  - {{name: kernel, from: image, to: v, wiring: {WIRINGS[wiring]}, initial: {{normal: {{deviation: 0.3}}}}}}
modulators: {{reward: {{per: {modulator}}}}}
learning:
  name: one_rule
  feedback: {{pathway: none}}
  modes:
    engaged: {{forward: {{dw: "{rule}", positions: {positions}}}}}
  parameters: {{decay: 0.1}}
""")


def images(samples: int = 3, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=(samples, 2, 3, 4))


class Seen:
    """One step's activities as the loops see them."""

    def __init__(self, sim: Simulator, data: Array) -> None:
        self.geometry: Geometry = sim.compiled.graph.geometries["kernel"]
        self.w = sim.weights["kernel"]
        self.lower = data
        self.soma = current(self.geometry, self.w, data)
        self.upper = np.tanh(self.soma)


def exp(x: Array) -> Array:
    return np.exp(x)


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


# rule -> the drive of one synapse, from (pre.rate, post.rate, post.soma, w): terms that read a neuron
OF_SYNAPSE: dict[str, Callable[..., Array]] = {
    "post.rate * pre.rate": lambda x, y, u, w: y * x,
    "-pre.rate * post.soma / 2": lambda x, y, u, w: -x * u / 2,
    "post.rate * (pre.rate - post.rate * w)": lambda x, y, u, w: y * (x - y * w),
    "exp(pre.rate) * post.soma": lambda x, y, u, w: exp(x) * u,
    "(1 + pre.rate) * (2 - post.rate) - 2": lambda x, y, u, w: 2 * x - y - x * y,
    "sigmoid(pre.rate) * sigmoid(post.rate) * w**2": lambda x, y, u, w: sigmoid(x) * sigmoid(y) * w**2,
    "post.rate": lambda x, y, u, w: y,
    "pre.rate**2 * w": lambda x, y, u, w: x**2 * w,
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("positions", ["sum", "mean"])
@pytest.mark.parametrize("wiring", WIRINGS)
@pytest.mark.parametrize("rule", OF_SYNAPSE)
def test_drive_is_the_mean_over_samples_and_the_sum_or_mean_over_positions(
    rule: str, wiring: str, positions: str, engine: str
) -> None:
    sim = once(circuit(wiring, rule, positions), engine=engine)
    seen, of_synapse = Seen(sim, images()), OF_SYNAPSE[rule]

    def own(w: tuple[int, ...], low: tuple[int, ...], up: tuple[int, ...]) -> Array:
        return of_synapse(seen.lower[:, *low], seen.upper[:, *up], seen.soma[:, *up], seen.w[w])

    expected = drive(seen.geometry, own, positions)
    close(learned(sim, images())["weights/kernel"], expected, 1e-12)


# ---- terms in w alone

ALONE: dict[str, Callable[[Array], Array]] = {
    "-decay * w": lambda w: -0.1 * w,
    "abs(w) - w**3": lambda w: np.abs(w) - w**3,
    "0.25": lambda w: np.full_like(w, 0.25),
    "exp(w) - 3 * w": lambda w: exp(w) - 3 * w,
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("positions", ["sum", "mean"])
@pytest.mark.parametrize("wiring", WIRINGS)
@pytest.mark.parametrize("rule", ALONE)
def test_a_term_in_w_alone_applies_once_a_weight(rule: str, wiring: str, positions: str, engine: str) -> None:
    sim = once(circuit(wiring, rule, positions), engine=engine)
    seen = Seen(sim, images())
    expected = np.where(counts(seen.geometry) > 0, ALONE[rule](seen.w), 0.0)
    close(learned(sim, images())["weights/kernel"], expected, 1e-12)


@pytest.mark.parametrize("wiring", WIRINGS)
def test_decay_does_not_depend_on_samples_or_positions(wiring: str) -> None:
    sim = once(circuit(wiring, "-post.rate * pre.rate - decay * w"))
    before = sim.weights["kernel"]
    sim.step(np.zeros((5, 2, 3, 4)))
    exists = counts(sim.compiled.graph.geometries["kernel"]) > 0
    close(sim.weights["kernel"], np.where(exists, 0.9 * before, before), 1e-14)


# ---- padding


def test_taps_that_only_see_padding_are_no_synapses() -> None:
    geometry = once(circuit("3x3 on 1x1", "-decay * w")).compiled.graph.geometries["kernel"]
    assert geometry.upper == (4, 1, 1)
    assert {w[2:] for w, _, _ in synapses(geometry)} == {(1, 1), (1, 2), (2, 1), (2, 2)}
    for rule in ("exp(pre.rate)", "post.rate + 1", "exp(w)", "-decay * w", "exp(pre.rate) * post.soma + w * post.rate"):
        for positions in ("sum", "mean"):
            moved = learned(once(circuit("3x3 on 1x1", rule, positions)), images())["weights/kernel"]
            assert not moved[:, :, 0].any(), rule
            assert not moved[..., 0].any(), rule
            assert moved[:, :, 1:, 1:].all(), rule


def test_a_function_that_is_not_zero_at_zero_does_not_see_the_padding() -> None:
    """exp(pre) of silence is 1 for every synapse that exists: the drive counts them."""
    sim = once(circuit("conv", "exp(pre.rate)"))
    found = learned(sim, np.zeros((2, 2, 3, 4)))["weights/kernel"]
    close(found[0, 0], [[6, 8, 6], [9, 12, 9], [6, 8, 6]], 1e-14)
    averaged = once(circuit("conv", "exp(pre.rate)", "mean"))
    close(learned(averaged, np.zeros((2, 2, 3, 4)))["weights/kernel"], np.ones((4, 2, 3, 3)), 1e-14)


# ---- reads before writes, fan-in

CHAIN = """
populations:
  image: {input: [2, 3, 3]}
  left: {transfer: tanh, bias: false}
  right: {transfer: tanh, bias: false}
  top: {transfer: tanh, bias: false}
projections:
  - {name: l, from: image, to: left, wiring: {conv: {channels: 3, kernel: 3}}}
  - {name: r, from: image, to: right, wiring: {conv: {channels: 3, kernel: 3}}}
  - {name: lt, from: left, to: top, wiring: {conv: {channels: 2, kernel: 2, padding: 0}}}
  - {name: rt, from: right, to: top, wiring: {conv: {channels: 2, kernel: 2, padding: 0}}}
  - {name: dense, from: image, to: top, wiring: {dense: {}}}
learning:
  name: hebb
  feedback: {pathway: none}
  modes: {engaged: {forward: "post.rate * pre.rate - 0.1 * w"}}
"""


def hebbian(engine: str = "torch") -> Simulator:
    text = CHAIN.replace("top: {", "top: {shape: [2, 2, 2], ")
    return once(cs.loads(text), engine=engine)


@pytest.mark.parametrize("engine", ENGINES)
def test_all_reads_precede_all_writes(engine: str) -> None:
    """Every drive is that of the weights before the step, at the bottom and at the top of a chain alike."""
    sim, data = hebbian(engine), np.random.default_rng(0).normal(size=(3, 2, 3, 3))
    geometries, weights = sim.compiled.graph.geometries, dict(sim.weights)
    rates = {"image": data}
    for name, label in (("left", "l"), ("right", "r")):
        rates[name] = np.tanh(current(geometries[label], weights[label], data))
    arriving = [current(geometries[p], weights[p], rates[q]) for p, q in (("lt", "left"), ("rt", "right"))]
    rates["top"] = np.tanh(sum(arriving) + current(geometries["dense"], weights["dense"], data))
    moved = learned(sim, data)
    for label, projection in sim.compiled.graph.projections.items():
        pre, post = rates[projection.source], rates[projection.target]
        hebb = drive(geometries[label], lambda w, low, up, x=pre, y=post: x[:, *low] * y[:, *up])
        close(moved[f"weights/{label}"], hebb - 0.1 * weights[label], 1e-12, label)
    for name, rate in rates.items():  # and what is read afterwards is what the rules saw
        close(sim.read(f"{name}.rate"), rate, 1e-12, name)


@pytest.mark.parametrize("engine", ENGINES)
def test_fan_in_adds(engine: str) -> None:
    data = np.random.default_rng(0).normal(size=(3, 2, 3, 3))
    sim = hebbian(engine)
    sim.step(data)
    whole, alone = sim.read("top.soma"), []
    for kept in ("lt", "rt", "dense"):
        one = hebbian(engine)
        for silent in {"lt", "rt", "dense"} - {kept}:
            one.weights[silent] = np.zeros_like(one.weights[silent])
        one.step(data)
        alone.append(one.read("top.soma"))
    assert all(part.any() for part in alone)
    close(whole, sum(alone), 1e-13)


def test_projections_that_share_a_weight_add_their_drives() -> None:
    text = CHAIN.replace("top: {", "top: {shape: [2, 2, 2], ").replace(
        "{name: rt, from: right, to: top, ", "{name: rt, from: right, to: top, weights: {same_as: lt}, "
    )
    circuit = cs.loads(text)
    data = np.random.default_rng(0).normal(size=(3, 2, 3, 3))
    tied, free = once(circuit), hebbian()
    for label in free.weights:
        free.weights[label] = tied.weights[label]
    moved, apart = learned(tied, data), learned(free, data)
    assert "weights/rt" not in moved  # one weight, with one name, that decays once
    shared = free.weights["lt"] - apart["weights/lt"]
    close(moved["weights/lt"], apart["weights/lt"] + apart["weights/rt"] + 0.1 * shared, 1e-12)


# ---- batches


def halves(sim: Callable[[], Simulator], data: Array, *target: Array) -> tuple[dict[str, Array], dict[str, Array]]:
    """What the whole batch teaches, and the mean of what its halves teach."""
    middle = len(data) // 2
    whole = learned(sim(), data, *target)
    first = learned(sim(), data[:middle], *(t[:middle] for t in target))
    second = learned(sim(), data[middle:], *(t[middle:] for t in target))
    return whole, {name: (first[name] + second[name]) / 2 for name in whole}


@settings(max_examples=25)
@given(
    st.sampled_from(sorted(OF_SYNAPSE)), st.sampled_from(sorted(WIRINGS)), st.sampled_from(["sum", "mean"]), st.data()
)
def test_halves_of_a_batch_average_to_the_whole(rule: str, wiring: str, positions: str, data: st.DataObject) -> None:
    text = circuit(wiring, f"{rule} - decay * w", positions)
    batch = images(2 * data.draw(st.integers(1, 3)), data.draw(st.integers(0, 999)))
    whole, averaged = halves(lambda: once(text), batch)
    close(whole["weights/kernel"], averaged["weights/kernel"], 1e-12)


@pytest.mark.parametrize("learning", ["backprop", "kolen_pollack", "sign_symmetry", "direct_feedback_alignment"])
def test_halves_average_to_the_whole_in_every_system(learning: str) -> None:
    text = plain(learning, decay=0.02)
    whole, averaged = halves(lambda: once(text), *plain_batch(samples=6))
    whole.pop("steps/engaged")
    averaged.pop("steps/engaged")
    all_close(whole, averaged, 1e-11)


@settings(max_examples=15)
@given(st.permutations(range(6)), st.sampled_from(["kolen_pollack", "direct_feedback_alignment"]))
def test_the_order_of_samples_does_not_matter(order: list[int], learning: str) -> None:
    text = plain(learning)
    images, digits = plain_batch(samples=6)
    all_close(learned(once(text), images[order], digits[order]), learned(once(text), images, digits), 1e-11)


def test_centre_takes_the_mean_of_the_whole_batch_and_is_exempt_from_splitting() -> None:
    text = circuit("conv", "centre(post.rate) * pre.rate")
    sim = once(text)
    seen = Seen(sim, images(4))
    centred = seen.upper - seen.upper.mean(axis=(0, 2, 3), keepdims=True)  # over samples and shared positions
    expected = drive(seen.geometry, lambda w, low, up: centred[:, *up] * seen.lower[:, *low])
    whole, averaged = halves(lambda: once(text), images(4))
    close(whole["weights/kernel"], expected, 1e-12)
    assert np.abs(whole["weights/kernel"] - averaged["weights/kernel"]).max() > 1e-3


# ---- modulators


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("wiring", ["dense", "odd conv", "3x3 on 1x1"])
def test_a_modulator_of_samples_weighs_them_and_one_of_batches_weighs_the_batch(wiring: str, engine: str) -> None:
    rule, reward = "mod.reward * (post.rate * pre.rate - 0.5 * w)", np.array([1.0, -2.0, 0.5])
    for per, given_reward in (("sample", reward), ("batch", 1.5)):
        sim = once(circuit(wiring, rule, modulator=per), engine=engine)
        seen = Seen(sim, images())
        hebb = drive(seen.geometry, lambda w, low, up, m=given_reward, s=seen: m * s.upper[:, *up] * s.lower[:, *low])
        alone = np.where(counts(seen.geometry) > 0, -0.5 * np.mean(given_reward) * seen.w, 0.0)
        moved = learned(sim, images(), modulators={"reward": given_reward})["weights/kernel"]
        close(moved, hebb + alone, 1e-12, per)


@pytest.mark.parametrize("per", ["sample", "batch"])
def test_gains_and_biases_hear_modulators_too(per: str) -> None:
    text = f"""
populations:
  image: {{input: [2, 3, 4]}}
  v:
    normalize: batch
    transfer: tanh
    rules:
      engaged:
        gain: "mod.reward * rate * drive + mod.reward * w"
        bias: {{dw: "mod.reward**2 * rate", positions: mean}}
projections:
  - {{from: image, to: v, wiring: {{conv: {{channels: 2, kernel: 3}}}}}}
modulators: {{reward: {{per: {per}}}}}
"""
    reward = np.array([1.0, -2.0, 0.5]) if per == "sample" else np.array(1.5)
    sim = once(cs.loads(text))
    moved = learned(sim, images(), modulators={"reward": reward})
    rate, x = sim.read("v.rate"), sim.read("v.drive")
    weigh = reward.reshape(-1, 1, 1, 1) if per == "sample" else reward
    close(moved["gain/v"], (weigh * rate * x).sum(axis=(2, 3)).mean(axis=0) + np.mean(reward), 1e-12)
    close(moved["bias/v"], (weigh**2 * rate).mean(axis=(0, 2, 3)), 1e-12)
