"""What a rule means, beyond what the conformance suite tests on every engine: padding, shared weights, batches,
centres, modulators. Against finite loops over synapses."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import counterstream as cs
from counterstream.circuits.wiring import Geometry
from counterstream.engine.simulator import Simulator
from counterstream.testing.conformance.loops import counts, current, drive, synapses
from counterstream.testing.conformance.rules import CHAIN, OF_SYNAPSE, WIRINGS

from .nets import Array, all_close, close, learned, once, plain, plain_batch


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


# ---- shared weights


def test_projections_that_share_a_weight_add_their_drives() -> None:
    text = CHAIN.replace(
        "{name: rt, from: right, to: top, ", "{name: rt, from: right, to: top, weights: {same_as: lt}, "
    )
    circuit = cs.loads(text)
    data = np.random.default_rng(0).normal(size=(3, 2, 3, 3))
    tied, free = once(circuit), once(cs.loads(CHAIN))
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


@pytest.mark.parametrize("wiring", ["dense", "odd conv", "3x3 on 1x1"])
def test_a_modulator_of_samples_weighs_them_and_one_of_batches_weighs_the_batch(wiring: str) -> None:
    rule, reward = "mod.reward * (post.rate * pre.rate - 0.5 * w)", np.array([1.0, -2.0, 0.5])
    for per, given_reward in (("sample", reward), ("batch", 1.5)):
        sim = once(circuit(wiring, rule, modulator=per))
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
