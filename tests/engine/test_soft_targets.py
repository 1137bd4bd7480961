"""Targets given as rates of classes: what they come to where they are classes after all, and against torch."""

import numpy as np
import pytest
import torch
from torch.nn import functional

import counterstream as cs
from counterstream.engine import SimulationError
from counterstream.engine.simulator import Simulator

from .nets import SYSTEMS, Array

NET = """
name: soft
populations:
  image: {input: [6]}
  h: {transfer: tanh}
  answer: {transfer: softmax}
projections:
  - {from: image, to: h, wiring: {dense: {size: 5}}}
  - {from: h, to: answer, wiring: {dense: {size: 4}}}
"""
RATE = 0.1


def simulator(learning: str, engine: str, *, soft: bool = True) -> Simulator:
    circuit = cs.loads(NET, learning=learning, parameters={"decay": 0.0})
    plain = cs.Consolidation(rate=RATE)
    return cs.compile(circuit, engine=engine, dtype="float64", consolidation=plain, soft_targets=soft)


def batch() -> tuple[Array, np.ndarray]:
    random = np.random.default_rng(3)
    return random.normal(size=(7, 6)), random.integers(0, 4, 7)


def mixed() -> Array:
    rates = np.random.default_rng(4).random((7, 4)) ** 3
    return rates / rates.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("engine", ["reference", "torch"])
@pytest.mark.parametrize("learning", SYSTEMS)
def test_codes_of_classes_are_classes(learning: str, engine: str) -> None:
    images, labels = batch()
    told = {"classes": labels, "codes": np.eye(4)[labels]}
    results = {}
    for name, target in told.items():
        sim = simulator(learning, engine)
        results[name] = sim.step(images, target), sim.state_dict()
    hard = simulator(learning, engine, soft=False)
    results["hard"] = hard.step(images, labels), hard.state_dict()
    for metrics, state in results.values():
        assert metrics == pytest.approx(results["hard"][0], abs=1e-12)
        for key, value in results["hard"][1].items():
            assert np.allclose(state[key], value, rtol=0, atol=1e-12)


@pytest.mark.parametrize("as_tensor", [False, True])
def test_a_step_of_backprop_on_rates_is_torchs(as_tensor: bool) -> None:
    images, _ = batch()
    sim, rates = simulator("backprop", "torch"), mixed()
    weights = [torch.tensor(sim.weights[name], requires_grad=True) for name in ("image->h", "h->answer")]
    logits = torch.tanh(torch.tensor(images) @ weights[0].T) @ weights[1].T
    loss = functional.cross_entropy(logits, torch.tensor(rates))
    loss.backward()
    result = sim.step(images, torch.tensor(rates) if as_tensor else rates)
    assert result["loss"] == pytest.approx(float(loss.detach()), abs=1e-12)
    assert result["accuracy"] == np.mean(logits.detach().numpy().argmax(1) == rates.argmax(1))
    for name, weight in zip(("image->h", "h->answer"), weights, strict=True):
        expected = weight.detach() - RATE * weight.grad
        assert np.abs(sim.weights[name] - expected.numpy()).max() < 1e-12


def test_smoothed_labels_are_torchs_label_smoothing() -> None:
    images, labels = batch()
    sim = simulator("backprop", "torch")
    weights = [torch.tensor(sim.weights[name]) for name in ("image->h", "h->answer")]
    logits = torch.tanh(torch.tensor(images) @ weights[0].T) @ weights[1].T
    expected = functional.cross_entropy(logits, torch.tensor(labels), label_smoothing=0.1)
    smoothed = 0.9 * np.eye(4)[labels] + 0.1 / 4
    assert sim.step(images, smoothed)["loss"] == pytest.approx(float(expected), abs=1e-12)


def test_everything_else_takes_classes_as_before() -> None:
    images, labels = batch()
    soft, hard = simulator("kolen_pollack", "torch"), simulator("kolen_pollack", "torch", soft=False)
    soft.step(images, mixed())
    assert soft.read("answer~.rate").shape == (7, 4)
    hard.load_state_dict(soft.state_dict())
    assert soft.evaluate(images, labels) == hard.evaluate(images, labels)
    assert soft.delta_angles(images, labels) == hard.delta_angles(images, labels)
    observed = soft.observe(["answer~.rate"], images, labels)["answer~.rate"]
    assert np.array_equal(observed, hard.observe(["answer~.rate"], images, labels)["answer~.rate"])


def test_rates_of_another_number_of_classes_are_refused() -> None:
    images, _ = batch()
    with pytest.raises(SimulationError, match=r"'answer' takes an array of shape \[batch, 4\] \(got \[7, 3\]\)"):
        simulator("backprop", "torch").step(images, np.ones((7, 3)))
    with pytest.raises(SimulationError, match=r"'answer' takes an array of shape \[batch\] \(got \[7, 4\]\)"):
        simulator("backprop", "torch", soft=False).step(images, np.ones((7, 4)))
