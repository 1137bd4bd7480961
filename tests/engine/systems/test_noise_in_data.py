"""Systems whose noise rides on the data: node perturbation, the phaseless mirror, perturbed feedback. Against NumPy
loops, and the expectations that theory has of them."""

import numpy as np
import pytest
import torch

import counterstream as cs
from counterstream.engine.errors import SimulationError
from counterstream.engine.simulator import Simulator
from counterstream.models import load_learning

from ..nets import close, learned, once
from .on_digits import accuracy, matrix_angles, trained
from .small_net import NET, SAMPLES, Array, ByHand, batch, compiled, outer

STEPS = 4


def draw(step: int, scale: float) -> dict[str, Array]:
    random = np.random.default_rng(100 + step)
    sizes = {"h": 6, "k": 4, "y": 3}
    return {name: scale * random.normal(size=(SAMPLES, size)) for name, size in sizes.items()}


def handed(sim: Simulator, noise: dict[str, Array]) -> dict[str, Array]:
    """The noise of those populations that the circuit jitters, as `step` takes it."""
    wanted = [found.name.removeprefix("noise/") for found in sim.compiled.modes["engaged"].noise]
    return {f"{name}.noise": noise[name] for name in wanted}


@pytest.mark.parametrize("engine", ["reference", "torch"])
@pytest.mark.parametrize("baseline", ["noiseless", "running", "none"])
def test_node_perturbation_by_hand(baseline: str, engine: str) -> None:
    system = load_learning("node_perturbation")
    reward = type(system.modulators["reward"])(of="loss", baseline=baseline)
    sim = compiled(system.model_copy(update={"modulators": {"reward": reward}}), engine)
    hand, expected = ByHand(sim), 0.0
    for step in range(STEPS):
        noise = draw(step, 0.1)
        seen, quiet = hand.forward(*batch(step), noise), hand.forward(*batch(step))
        better = -seen.loss - {"noiseless": -quiet.loss, "running": expected, "none": 0.0}[baseline]
        expected = 0.9 * expected + 0.1 * np.mean(-seen.loss)
        good = {name: better[:, None] * noise[name] / 0.01 for name in "hky"}
        hand.learn(
            {layer: outer(good[name], seen.below[layer]) for layer, name in zip("123", "hky", strict=True)},
            {name: good[name].mean(axis=0) for name in "hky"},
        )
        found = sim.step(*batch(step), noise=handed(sim, noise))
        assert found["loss"] == pytest.approx(seen.loss.mean(), rel=1e-12)
    hand.agree(sim)
    if baseline == "running":
        assert float(sim.state_dict()["baseline/reward"]) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("engine", ["reference", "torch"])
def test_phaseless_mirror_by_hand(engine: str) -> None:
    sim = compiled("phaseless_mirror", engine, r=0.2)
    scale = sim.circuit.modes["engaged"].injects.scale
    hand = ByHand(sim)
    for step in range(STEPS):
        noise = draw(step, scale)
        seen = hand.forward(*batch(step), {"h": noise["h"], "k": noise["k"]})  # nothing mirrors what y drives
        new = {}
        for layer, below, above in (("2", "h", "k"), ("3", "k", "y")):
            varies = seen.soma[above] - seen.soma[above].mean(axis=0)
            new[layer] = hand.b[layer] + 0.2 * (outer(varies, noise[below]) / scale**2 - hand.b[layer])
        hand.descend(seen)
        hand.b = new
        sim.step(*batch(step), noise=handed(sim, noise))
    hand.agree(sim)


@pytest.mark.parametrize("engine", ["reference", "torch"])
def test_perturbed_feedback_by_hand(engine: str) -> None:
    sim = compiled("perturbed_feedback", engine, r=0.2)
    scale = sim.circuit.modes["engaged"].injects.scale
    hand = ByHand(sim)
    for step in range(STEPS):
        noise = {name: drawn for name, drawn in draw(step, scale).items() if name != "y"}
        seen, quiet = hand.forward(*batch(step), noise), hand.forward(*batch(step))
        worse = (seen.loss - quiet.loss)[:, None]
        new = {}
        for layer, below, above in (("2", "h", "k"), ("3", "k", "y")):
            wrong = worse * noise[below] / scale**2 - seen.delta[below]  # what the jitter says, less what B says
            new[layer] = hand.b[layer] + 0.2 * outer(seen.delta[above], wrong)
        hand.descend(seen)
        hand.b = new
        sim.step(*batch(step), noise=handed(sim, noise))
    hand.agree(sim)


# ---- what theory expects

LINEAR = """
populations: {x: {input: 3}, h: {}, y: {loss: squared, bias: false}}
projections:
  - {name: w1, from: x, to: h, wiring: {dense: {size: 4}}}
  - {name: w2, from: h, to: y, wiring: {dense: {size: 2}}}
"""


def test_node_perturbation_follows_the_gradient_on_average() -> None:
    """E dw = -dJ/dw, J = E loss = |W2 W1 x - t|^2 / 2 + s^2 (|W2|^2 + 2) / 2 the loss that a jittered linear net
    expects: within 5 standard errors, of which there are 20 entries, and standard errors that are small beside it."""
    scale, copies = 0.1, 200_000
    sim = once(cs.loads(LINEAR, learning="node_perturbation", parameters={"decay": 0.0}), seed=1)
    random = np.random.default_rng(0)
    x, t = random.normal(size=3), random.normal(size=2)
    w1, w2 = (torch.tensor(sim.weights[name], requires_grad=True) for name in ("w1", "w2"))
    missed = w2 @ (w1 @ torch.tensor(x)) - torch.tensor(t)
    ((missed @ missed) / 2 + scale**2 * (w2.square().sum() + 2) / 2).backward()
    moved = []
    for _ in range(10):  # batch means over copies of one sample
        before = {name: sim.weights[name] for name in ("w1", "w2")}
        sim.step(np.tile(x, (copies // 10, 1)), np.tile(t, (copies // 10, 1)))
        moved.append({name: sim.weights[name] - value for name, value in before.items()})
        for name, value in before.items():
            sim.weights[name] = value
    for name, weight in (("w1", w1), ("w2", w2)):
        draws = np.stack([found[name] for found in moved])
        error = draws.std(axis=0, ddof=1) / np.sqrt(len(draws))
        assert weight.grad is not None
        gradient = weight.grad.numpy()
        assert (np.abs(draws.mean(axis=0) + gradient) < 5 * error).all()
        assert np.linalg.norm(error) < 0.05 * np.linalg.norm(gradient)


def test_phaseless_mirror_comes_to_the_forward_weights_times_the_slope() -> None:
    """E[noise_a soma_b] = s^2 E[phi'(a)] W, whatever the data: for a linear population below, W itself."""
    text = NET.replace("h: {transfer: tanh}", "h: {}").replace("k: {transfer: relu}", "k: {transfer: tanh}")
    sim = once(cs.loads(text, learning="phaseless_mirror", parameters={"decay": 0.0, "r": 1.0}))
    sim.rate = 0.0
    random, samples = np.random.default_rng(0), 400_000
    sim.step(random.normal(size=(samples, 5)), random.integers(0, 3, samples))
    scale = sim.circuit.modes["engaged"].injects.scale
    slope = (1 - sim.read("k.rate") ** 2).mean(axis=0)
    for label, above, expected in (("w2", "k", sim.weights["w2"]), ("w3", "y", sim.weights["w3"] * slope)):
        error = sim.read(f"{above}.soma").std(axis=0) / (scale * np.sqrt(samples))  # of an entry, by neuron above
        assert (np.abs(sim.weights[f"{label}~"] - expected) < 5 * error[:, None]).all(), label
        assert error.max() < 0.02 * np.abs(expected).max()


# ---- noise as a part of the language


def test_only_those_are_jittered_whose_noise_is_read() -> None:
    jittered = {}
    for system in ("node_perturbation", "phaseless_mirror", "backprop"):
        modes = once(cs.loads(NET, learning=system)).compiled.modes
        jittered[system] = {found.name for found in modes["engaged"].noise}
    assert jittered["node_perturbation"] == {"noise/h", "noise/k", "noise/y"}
    assert jittered["phaseless_mirror"] == {"noise/h", "noise/k"}
    assert jittered["backprop"] == set()


def test_noise_adds_to_the_soma_and_is_left_out_of_predictions() -> None:
    sim = once(cs.loads(NET, learning="node_perturbation"))
    images, labels = batch(0)
    before = sim.predict(images)
    noise = draw(0, 1.0)
    sim.step(images, labels, noise=handed(sim, noise))
    jittered = sim.read("k.soma")
    close(sim.read("k.noise"), noise["k"], 1e-15)
    silent = once(cs.loads(NET, learning="node_perturbation"))
    silent.step(images, labels, noise={name: 0 * drawn for name, drawn in handed(silent, noise).items()})
    close(silent.read("y.rate"), before, 1e-12)
    assert not np.allclose(jittered, silent.read("k.soma"))


def test_noise_is_a_function_of_seed_mode_population_and_step() -> None:
    one, other = (once(cs.loads(NET, learning="phaseless_mirror")) for _ in range(2))
    for step in range(2):
        moved = [learned(sim, *batch(step)) for sim in (one, other)]
        for name, value in moved[0].items():
            np.testing.assert_array_equal(value, moved[1][name])
    first = one.read("h.noise")
    one.step(*batch(1))
    assert not np.allclose(first, one.read("h.noise"))


def test_given_noise_is_checked() -> None:
    sim = once(cs.loads(NET, learning="phaseless_mirror"))
    with pytest.raises(
        SimulationError, match=r"mode 'engaged' injects no noise into 'y'\. populations with noise: h, k"
    ):
        sim.step(*batch(0), noise={"y.noise": np.zeros((SAMPLES, 3))})
    with pytest.raises(SimulationError, match=r"the noise of 'h' must hold 7 samples, like the data \(got 2\)"):
        sim.step(*batch(0), noise={"h.noise": np.zeros((2, 6))})


def test_delta_angles_compare_errors_of_the_same_jittered_activity() -> None:
    sim = once(cs.loads(NET, learning="phaseless_mirror"))
    for label in ("w2", "w3"):
        sim.weights[f"{label}~"] = sim.weights[label]
    assert max(sim.delta_angles(*batch(0)).values()) < 1e-6


# ---- on the digits

MLP = {"size": [1, 8, 8], "width": 64}


@pytest.mark.slow
def test_node_perturbation_on_digits() -> None:
    sim = trained("mlp", "node_perturbation", epochs=30, rate=0.005, decay=0.002, options=MLP)
    assert accuracy(sim) > 0.85


@pytest.mark.slow
def test_phaseless_mirror_on_digits() -> None:
    """Angles are small where many positions share a weight; random feedback stands above 85 degrees in each of these
    layers."""
    sim = trained("plain_cnn", "phaseless_mirror", epochs=4, rate=0.1, decay=0.02)
    assert accuracy(sim) > 0.9
    hidden = matrix_angles(sim)[:-1]
    assert max(hidden[:3]) < 35
    assert max(hidden) < 70


@pytest.mark.slow
def test_perturbed_feedback_on_digits() -> None:
    """It learns, and its feedback comes nearer to the forward weights than random feedback, to which these come."""
    how = {"epochs": 20, "rate": 0.02, "decay": 0.005, "options": MLP}
    random = trained("mlp", "feedback_alignment", **how)
    sim = trained("mlp", "perturbed_feedback", parameters={"r": 1.0}, **how)
    assert accuracy(sim) > 0.9
    for found, without in zip(matrix_angles(sim), matrix_angles(random), strict=True):
        assert found < without - 2
