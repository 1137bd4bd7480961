"""The simulator: errors by text, calls of other forms, circuits of other forms."""

from typing import Any

import numpy as np
import pytest
import torch

import counterstream as cs
from counterstream.engine import SimulationError

from .nets import all_close, close, once, plain, plain_batch, residual, residual_batch, simulate

# ---- errors

IMAGES, DIGITS = plain_batch()


@pytest.mark.parametrize(
    ("do", "message"),
    [
        (lambda sim: sim.step(), "data must be given: the circuit's 'image' needs it"),
        (lambda sim: sim.step(IMAGES), "target must be given: the circuit's 'answer' needs it"),
        (lambda sim: sim.step({"picture": IMAGES}, DIGITS), "data must be given for 'image'"),
        (lambda sim: sim.step(IMAGES, {"answr": DIGITS}), "target must be given for 'answer'. Did you mean 'answr'?"),
        (
            lambda sim: sim.step(IMAGES[:, :1], DIGITS),
            "'image' takes an array of shape [batch, 2, 5, 5] (got [4, 1, 5, 5])",
        ),
        (lambda sim: sim.step(IMAGES[0], DIGITS), "'image' takes an array of shape [batch, 2, 5, 5] (got [2, 5, 5])"),
        (lambda sim: sim.step(IMAGES, DIGITS[:, None]), "'answer' takes an array of shape [batch] (got [4, 1])"),
        (lambda sim: sim.step(IMAGES, DIGITS[:3]), "the same number of samples (got data/image: 4, label/answer: 3)"),
        (lambda sim: sim.step(IMAGES, DIGITS + 3), "targets of 'answer' must be classes from 0 to 2 (got "),
        (lambda sim: sim.step(IMAGES, DIGITS - 5), "targets of 'answer' must be classes from 0 to 2 (got -"),
        (lambda sim: sim.step(IMAGES, DIGITS + 0.5), "targets of 'answer' must be classes from 0 to 2 (got "),
        (lambda sim: sim.step(IMAGES, DIGITS * np.nan), "targets of 'answer' must be classes from 0 to 2 (got nan)"),
        (lambda sim: sim.step(IMAGES[:0], DIGITS[:0]), "the data must hold at least one sample (got none)"),
        (lambda sim: sim.predict(IMAGES[:0]), "the data must hold at least one sample (got none)"),
        (lambda sim: sim.evaluate(IMAGES[:0], DIGITS[:0]), "the data must hold at least one sample (got none)"),
        (lambda sim: sim.step(IMAGES, DIGITS, mode="enraged"), "unknown mode 'enraged'. Did you mean 'engaged'?"),
        (lambda sim: sim.step(IMAGES, DIGITS, mode="mirror"), "mode 'mirror' needs no data: call run(...)"),
        (lambda sim: sim.run("engaged"), "mode 'engaged' needs data: call step(...)"),
        (lambda sim: sim.run("mirror", noise={"v1->v3": 0}), "mode 'mirror' runs no projection 'v1->v3'. Did you mean"),
        (
            lambda sim: sim.run("mirror", noise={"v1->v2": np.ones((2, 3))}),
            "'v1->v2' takes an array of shape [batch, 3, 5, 5] (got [2, 3])",
        ),
        (lambda sim: sim.read("v1.rate"), "read('v1.rate') needs a step with data first: call step(...)"),
    ],
)
def test_errors_by_text(do: Any, message: str) -> None:
    sim = simulate(plain("weight_mirror"))
    before = sim.state_dict()
    with pytest.raises(SimulationError) as caught:
        do(sim)
    assert message in str(caught.value)
    all_close(sim.state_dict(), before, 0)  # a refused call leaves no trace


def test_evaluate_needs_an_output() -> None:
    sim = simulate(cs.loads(UNSUPERVISED))
    with pytest.raises(SimulationError, match="evaluate needs an output: no population of the circuit has a loss"):
        sim.evaluate(np.ones((2, 4)), [0, 1])


# ---- calls of other forms


def test_a_step_takes_batches_of_any_size_lists_and_tensors() -> None:
    sims = [once(plain()) for _ in range(3)]
    images, digits = plain_batch(samples=7)
    for size in (7, 1, 3):
        found = [
            sims[0].step(images[:size], digits[:size]),
            sims[1].step({"image": images[:size].tolist()}, {"answer": digits[:size].tolist()}),
            sims[2].step(torch.from_numpy(images[:size].copy()), torch.from_numpy(digits[:size].copy())),
        ]
        assert found[0] == found[1] == found[2]
    for sim in sims[1:]:
        all_close(sim.state_dict(), sims[0].state_dict(), 0)


def test_a_step_changes_none_of_the_arrays_it_is_given() -> None:
    images, digits = residual_batch()
    images.flags.writeable = digits.flags.writeable = False
    simulate(residual()).step(images, digits)
    writable = images.copy()
    sim = simulate(residual())
    sim.step(writable, digits)
    np.testing.assert_array_equal(writable, images)


def test_metrics_are_of_the_weights_before_the_step() -> None:
    sim = simulate(plain(), consolidation=cs.Consolidation(rate=0.5))
    for _ in range(3):
        before = sim.evaluate(IMAGES, DIGITS)
        assert sim.step(IMAGES, DIGITS) == pytest.approx(before, rel=1e-12)
    assert sim.evaluate(IMAGES, DIGITS)["loss"] < before["loss"]


def test_classes_stand_for_their_codes_where_activities_are_compared() -> None:
    text = """
populations: {x: {input: [4]}, y: {loss: squared}}
projections: [{from: x, to: y, wiring: {dense: {size: 3}}}]
learning: backprop
"""
    sims = [once(cs.loads(text, learning="backprop")) for _ in range(2)]
    x = np.random.default_rng(0).normal(size=(3, 4))
    assert sims[0].step(x, [0, 2, 2])["loss"] == sims[1].step(x, np.eye(3)[[0, 2, 2]])["loss"]
    all_close(sims[0].state_dict(), sims[1].state_dict(), 0)


SEVERAL = """
populations:
  left: {input: [3]}
  right: {input: [2, 2, 2]}
  h: {transfer: tanh}
  kind: {transfer: softmax}
  place: {loss: squared}
projections:
  - {from: left, to: h, wiring: {dense: {size: 5}}}
  - {from: right, to: h, wiring: {dense: {size: 5}}}
  - {from: h, to: kind, wiring: {dense: {size: 3}}}
  - {from: h, to: place, wiring: {dense: {size: 2}}}
"""


def test_several_inputs_and_outputs() -> None:
    sim = once(cs.loads(SEVERAL, learning="backprop", parameters={"decay": 0}))
    random = np.random.default_rng(0)
    data = {"left": random.normal(size=(4, 3)), "right": random.normal(size=(4, 2, 2, 2))}
    target = {"kind": np.array([0, 1, 2, 1]), "place": random.normal(size=(4, 2))}
    state = {
        name: torch.from_numpy(value).requires_grad_()
        for name, value in sim.state_dict().items()
        if "steps" not in name
    }
    left, right = torch.from_numpy(data["left"]), torch.from_numpy(data["right"]).flatten(1)
    h = (left @ state["weights/left->h"].T + right @ state["weights/right->h"].T + state["bias/h"]).tanh()
    kind = h @ state["weights/h->kind"].T + state["bias/kind"]
    place = h @ state["weights/h->place"].T + state["bias/place"]
    apart = (place - torch.from_numpy(target["place"])) ** 2
    loss = torch.nn.functional.cross_entropy(kind, torch.from_numpy(target["kind"])) + apart.sum() / 2 / 4
    loss.backward()
    predicted = sim.predict(data)
    assert predicted.keys() == {"kind", "place"}
    close(predicted["kind"], kind.softmax(1).detach().numpy(), 1e-12)
    close(predicted["place"], place.detach().numpy(), 1e-12)
    metrics = sim.step(data, target)
    assert metrics["loss"] == pytest.approx(loss.item(), rel=1e-12)
    for name, value in state.items():
        close(sim.get_state(name), (value - value.grad).detach().numpy(), 1e-11, name)


UNSUPERVISED = """
populations: {x: {input: [4]}, y: {transfer: relu, bias: false}}
projections: [{from: x, to: y, wiring: {dense: {size: 3}}}]
learning:
  name: oja
  feedback: {pathway: none}
  modes: {engaged: {forward: "post.rate * (pre.rate - post.rate * w)"}}
"""


def test_a_circuit_without_target_learns_by_data_alone() -> None:
    sim = once(cs.loads(UNSUPERVISED))
    x = np.random.default_rng(0).normal(size=(5, 4))
    w = sim.weights["x->y"]
    y = np.maximum(x @ w.T, 0)
    assert sim.step(x) == {}
    close(sim.weights["x->y"], w + (y.T @ x) / 5 - (y**2).mean(0)[:, None] * w, 1e-12)
    close(sim.predict(x), np.maximum(x @ sim.weights["x->y"].T, 0), 1e-12)
    assert sim.delta_angles(x, None) == {}


CODED = """
populations:
  x: {input: [4]}
  label: {target: 3}
  y: {transfer: linear, bias: false}
projections:
  - {name: out, from: x, to: y, wiring: {dense: {size: 3}}, plastic: false}
  - {name: code, from: label, to: y, wiring: {dense: {size: 3}}}
learning:
  name: hebb
  feedback: {pathway: none}
  modes: {engaged: {forward: "post.rate * pre.rate"}}
"""


def test_a_target_population_carries_the_labels_code() -> None:
    sim = once(cs.loads(CODED))
    x, code = np.random.default_rng(0).normal(size=(4, 4)), np.eye(3)[[2, 0, 0, 1]]
    y = x @ sim.weights["out"].T + code @ sim.weights["code"].T
    before = sim.weights["code"]
    sim.step(x, [2, 0, 0, 1])
    close(sim.read("label.rate"), code)
    close(sim.weights["code"], before + y.T @ code / 4, 1e-12)
    with pytest.raises(SimulationError, match="targets of 'label' must be classes from 0 to 2"):
        sim.step(x, [0, 1, 2, 3])


@pytest.mark.parametrize("per", ["sample", "batch"])
def test_modulators_are_asked_for_by_name_and_shape(per: str) -> None:
    text = (
        UNSUPERVISED.replace('"post.rate *', '"mod.reward * post.rate *') + f"modulators: {{reward: {{per: {per}}}}}\n"
    )
    sim = once(cs.loads(text))
    x = np.random.default_rng(0).normal(size=(5, 4))
    with pytest.raises(SimulationError, match="modulators must be given for 'reward'"):
        sim.step(x)
    with pytest.raises(SimulationError, match=r"'reward' takes an array of shape \[(batch)?\] \(got \[5, 2\]\)"):
        sim.step(x, modulators={"reward": np.ones((5, 2))})
    before = sim.weights["x->y"]
    sim.step(x, modulators={"reward": np.zeros(5) if per == "sample" else 0})
    np.testing.assert_array_equal(sim.weights["x->y"], before)


def test_a_population_that_no_error_reaches_cannot_learn_by_errors() -> None:
    text = """
populations: {x: {input: [4]}, lost: {}, y: {transfer: softmax}}
projections:
  - {from: x, to: lost, wiring: {dense: {size: 3}}}
  - {from: x, to: y, wiring: {dense: {size: 3}}}
learning: backprop
"""
    with pytest.raises(cs.CircuitError) as caught:
        cs.compile(cs.loads(text, learning="backprop"))
    assert "'x->lost' reads post.apical" in str(caught.value)


def test_locality_and_circuit_are_at_hand() -> None:
    assert simulate(plain("kolen_pollack")).locality.local
    assert simulate(plain("backprop")).locality.transports_weights
    assert set(simulate(plain()).circuit.populations) == {
        "image",
        "v1",
        "v2",
        "h",
        "answer",
        "answer~",
        "h~",
        "v2~",
        "v1~",
    }


# ---- what is no number, no circuit, no seed


@pytest.mark.parametrize("odd", [np.array(["a"] * 4), np.array([None] * 4, dtype=object), np.zeros(4, dtype=complex)])
def test_what_is_no_real_number_is_refused(odd: Any) -> None:
    sim = simulate(plain())
    images, _ = plain_batch()
    with pytest.raises(SimulationError, match=r"takes real numbers \(got an array of"):
        sim.step(images, odd)
    before = sim.state_dict()
    with pytest.raises(SimulationError, match=r"takes real numbers \(got an array of"):
        sim.set_state(next(iter(before)), odd)
    all_close(sim.state_dict(), before)


def test_compile_takes_a_circuit_and_a_seed() -> None:
    with pytest.raises(SimulationError, match=r"compile takes a circuit, as counterstream.load gives it \(got 'digits"):
        cs.compile("digits_resnet")  # type: ignore[arg-type]
    with pytest.raises(SimulationError, match=r"seed must be a whole number from 0 \(got -1\)"):
        cs.compile(cs.load("digits_resnet"), seed=-1)


def test_predicting_in_batches_of_nothing_is_refused() -> None:
    sim = simulate(plain())
    with pytest.raises(SimulationError, match=r"batch must be at least 1 \(got 0\)"):
        sim.predict(plain_batch()[0], batch=0)
