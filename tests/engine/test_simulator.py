"""The simulator: reading, asking, state, errors by text, circuits of other forms, and the shadow pass."""

from typing import Any

import numpy as np
import pytest
import torch

import counterstream as cs
from counterstream.engine import SimulationError
from counterstream.engine.angle import angle
from counterstream.engine.errors import UnknownName
from counterstream.engine.simulator import Simulator

from .nets import SYSTEMS, Array, all_close, close, once, plain, plain_batch, residual, residual_batch, simulate

MOMENTUM = cs.Consolidation(rate=0.1, momentum=0.9)

# ---- reading


class Exact(dict[str, torch.Tensor]):
    """Every activity of the residual circuit by torch, with its gradient where autograd gives one."""

    def __init__(self, sim: Simulator, images: Array, digits: Array) -> None:
        super().__init__()
        self.state = {name: torch.from_numpy(value) for name, value in sim.state_dict().items()}
        self["image.rate"] = torch.from_numpy(images)
        stem = self.keep("stem.soma", self.conv("image->stem", self["image.rate"]))
        entry = self.normal("entry1", stem)
        hidden = self.normal("hidden1", self.conv("entry1->hidden1", entry))
        total = self.keep("sum1.soma", self.conv("hidden1->sum1", hidden) + stem)
        reduced = self.keep("reduced.soma", torch.nn.functional.max_pool2d(total, 3, 2, 1))
        entry = self.normal("entry2", reduced)
        hidden = self.normal("hidden2", self.conv("entry2->hidden2", entry, stride=2))
        shortcut = torch.conv2d(entry, self.state["weights/shortcut"], stride=2)
        total = self.keep("sum2.soma", self.conv("hidden2->sum2", hidden) + shortcut)
        pooled = self.keep("pooled.soma", self.normal("top", total).mean((2, 3), keepdim=True))
        weight, bias = self.state["weights/pooled->answer"], self.state["bias/answer"]
        current = self.keep("answer.soma", pooled.flatten(1) @ weight.T)
        self["answer.rate"] = (current + bias).softmax(1)
        loss = torch.nn.functional.cross_entropy(current + bias, torch.from_numpy(digits), reduction="sum")
        loss.backward()

    def keep(self, name: str, value: torch.Tensor) -> torch.Tensor:
        """Deltas are unscaled by the batch, hence the summed loss."""
        if not value.requires_grad:
            value.requires_grad_()
        value.retain_grad()
        self[name] = value
        return value

    def conv(self, label: str, x: torch.Tensor, stride: int = 1) -> torch.Tensor:
        return torch.conv2d(x, self.state[f"weights/{label}"], stride=stride, padding=1)

    def normal(self, name: str, soma: torch.Tensor) -> torch.Tensor:
        soma = self.keep(f"{name}.soma", soma.clone())  # its own gradient, apart from that of skips
        mean, variance = soma.mean((0, 2, 3), keepdim=True), soma.var((0, 2, 3), keepdim=True, correction=0)
        drive = self.keep(f"{name}.drive", (soma - mean) / (variance + 1e-5).sqrt())
        gain, bias = (self.state[f"{kind}/{name}"].reshape(-1, 1, 1) for kind in ("gain", "bias"))
        before = self.keep(f"{name}.before", gain * drive + bias)
        return self.keep(f"{name}.rate", before.relu())


@pytest.fixture(scope="module")
def stepped() -> tuple[Simulator, Exact]:
    sim = simulate(residual(), consolidation=MOMENTUM)
    sim.step(*residual_batch(seed=5))
    exact = Exact(sim, *residual_batch())
    sim.step(*residual_batch())
    return sim, exact


def test_read_gives_every_compartment_as_it_was_in_the_step(stepped: tuple[Simulator, Exact]) -> None:
    """Consolidation has moved every weight by then; what is read is what the rules saw."""
    sim, exact = stepped
    names = [name for name in exact if not name.endswith(".before")]
    assert len(names) > 20
    for name in names:
        close(sim.read(name), exact[name].detach().numpy(), 1e-11, name)


def test_read_gives_every_error_as_autograd_does(stepped: tuple[Simulator, Exact]) -> None:
    sim, exact = stepped
    for partner in sim.compiled.graph.feedback:
        name = sim.circuit.populations[partner].partner
        close(sim.read(f"{partner}.rate"), exact[f"{name}.soma"].grad.numpy(), 1e-9, partner)
        if f"{name}.before" in exact:
            close(sim.read(f"{partner}.gated"), exact[f"{name}.before"].grad.numpy(), 1e-9, partner)
            close(sim.read(f"{partner}.soma"), exact[f"{name}.rate"].grad.numpy(), 1e-9, partner)


def test_apical_is_the_partners_rate(stepped: tuple[Simulator, Exact]) -> None:
    sim, _ = stepped
    np.testing.assert_array_equal(sim.read("hidden1.apical"), sim.read("hidden1~.rate"))
    kolen = simulate(residual(learning="kolen_pollack"))
    kolen.step(*residual_batch())
    np.testing.assert_array_equal(kolen.read("hidden1~.apical"), kolen.read("hidden1.rate"))


def test_watched_compartments_are_kept_in_the_step_itself() -> None:
    watch = ("hidden1.rate", "hidden1~.rate", "image.rate", "top.drive")
    sim, plain_sim = simulate(residual(), watch=watch), simulate(residual())
    for seed in (0, 1):
        for each in (sim, plain_sim):
            each.step(*residual_batch(seed=seed))
        for name in (*watch, "sum2.soma"):
            np.testing.assert_array_equal(sim.read(name), plain_sim.read(name))
    assert sim.compiled.modes["engaged"].observe.count("project") == plain_sim.compiled.modes["engaged"].observe.count(
        "project"
    )


# ---- the shadow pass


def test_delta_angles_of_backprop_are_zero_and_of_random_feedback_about_ninety() -> None:
    exact = simulate(residual()).delta_angles(*residual_batch())
    assert exact.keys() == {
        *("stem", "entry1", "hidden1", "sum1", "reduced", "entry2", "hidden2", "sum2", "top", "pooled", "answer"),
    }
    assert max(exact.values()) < 1e-6
    for system in ("feedback_alignment", "direct_feedback_alignment"):
        found = [simulate(residual(learning=system), seed=s).delta_angles(*residual_batch()) for s in range(6)]
        assert all(angles["answer"] < 1e-6 for angles in found)  # the error itself
        assert np.mean([angles["stem"] for angles in found]) == pytest.approx(90, abs=15), system
        reached = {name for angles in found for name in angles}
        assert ("pooled" in reached) == (system == "feedback_alignment")  # no direct error: nothing learns there


def test_shadow_deltas_are_autograds_and_the_circuits_own() -> None:
    sim = simulate(residual(learning="feedback_alignment"))
    exact = Exact(sim, *residual_batch())
    state = sim.state_dict()
    angles = sim.delta_angles(*residual_batch())
    all_close(sim.state_dict(), state, 0)  # looking changes nothing
    sim.step(*residual_batch())
    for name, found in angles.items():
        assert found == pytest.approx(angle(sim.read(f"{name}~.rate"), exact[f"{name}.soma"].grad.numpy()), abs=1e-5)


EXPLICIT = """
populations:
  x: {input: [6]}
  h: {transfer: tanh}
  y: {transfer: softmax}
  e: {partner: y}
  back: {partner: h}
projections:
  - {name: up, from: x, to: h, wiring: {dense: {size: 8}}, rules: {awake: "-post.apical * pre.rate"}}
  - {name: out, from: h, to: y, wiring: {dense: {size: 3}}, rules: {awake: "-post.apical * pre.rate"}}
  - {name: down, from: e, to: back, wiring: {dense: {}}}
cross:
  - {from: h, to: back, role: gate}
  - {from: back, to: h}
  - {from: e, to: y}
modes: {awake: {}}
"""


def test_shadow_of_a_circuit_written_by_hand() -> None:
    sim = simulate(cs.loads(EXPLICIT))
    random = np.random.default_rng(0)
    x, digits = random.normal(size=(5, 6)), random.integers(0, 3, 5)
    angles = sim.delta_angles(x, digits)
    assert angles.keys() == {"h", "y"}
    assert angles["h"] > 5
    soma = x @ sim.weights["up"].T
    logits = np.tanh(soma + sim.biases["h"]) @ sim.weights["out"].T + sim.biases["y"]
    rate = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    error, slope = rate - np.eye(3)[digits], 1 - np.tanh(soma + sim.biases["h"]) ** 2
    own, exact = slope * (error @ sim.weights["down"].T), slope * (error @ sim.weights["out"])
    assert angles["h"] == pytest.approx(angle(own, exact), abs=1e-6)
    sim.weights["down"] = sim.weights["out"].T
    assert sim.delta_angles(x, digits)["h"] < 1e-6


def test_angle_is_exact_at_both_ends() -> None:
    a = np.random.default_rng(0).normal(size=1000)
    assert angle(a, 3 * a) < 1e-6
    assert angle(a, -a) == pytest.approx(180)
    assert angle(np.array([1.0, 0]), np.array([0, 2.0])) == pytest.approx(90)
    assert angle(np.array([1.0, 0]), np.array([1.0, 1e-9])) == pytest.approx(np.degrees(1e-9), rel=1e-6)
    assert np.isnan(angle(a, 0 * a))


# ---- state


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("system", SYSTEMS)
def test_a_resumed_run_is_the_same_run(system: str, optimizer: str) -> None:
    how = MOMENTUM if optimizer == "sgd" else cs.Consolidation(optimizer="adamw", rate=0.01)

    def train(sim: Simulator, steps: range) -> None:
        for step in steps:
            sim.step(*residual_batch(seed=step))
            if "mirror" in sim.compiled.modes:
                sim.run("mirror")

    whole, first = (simulate(residual(learning=system), consolidation=how, dtype="float32") for _ in range(2))
    train(whole, range(6))
    train(first, range(3))
    saved = first.state_dict()
    assert saved["steps/engaged"] == 3
    train(first, range(3, 4))  # what was saved does not change with the simulator
    resumed = simulate(residual(learning=system), consolidation=how, dtype="float32")
    resumed.load_state_dict(saved)
    train(resumed, range(3, 6))
    for name, value in whole.state_dict().items():
        np.testing.assert_array_equal(resumed.state_dict()[name], value, err_msg=name)


@pytest.mark.parametrize("how", [MOMENTUM, cs.Consolidation(optimizer="adamw", rate=0.01)], ids=["momentum", "adamw"])
def test_the_first_step_of_a_second_mode_is_a_first_step(how: cs.Consolidation) -> None:
    """Each mode has traces of its own, which stand still in the others."""
    text = """
populations: {x: {input: [4]}, y: {transfer: tanh}}
projections: [{name: a, from: x, to: y, wiring: {dense: {size: 3}}}]
learning:
  name: twice
  feedback: {pathway: none}
  modes: {awake: {forward: "post.rate * pre.rate"}, drowsy: {forward: "post.rate * pre.rate"}}
"""
    sim, fresh = (simulate(cs.loads(text), consolidation=how) for _ in range(2))
    x = np.random.default_rng(0).normal(size=(5, 4))
    for _ in range(20):
        sim.step(x, mode="awake")
    fresh.weights["a"] = sim.weights["a"]
    before = sim.state_dict()
    sim.step(x, mode="drowsy")
    fresh.step(x, mode="drowsy")
    np.testing.assert_array_equal(sim.weights["a"], fresh.weights["a"])
    after = sim.state_dict()
    moved = {name.split("/")[1] for name in before if name.startswith("trace") and (before[name] != after[name]).any()}
    assert moved == {"drowsy"}


def test_initial_state_depends_on_seed_and_name_alone() -> None:
    first, other = (simulate(residual(), seed=seed) for seed in (1, 2))
    again = simulate(residual(learning="kolen_pollack"), seed=1)
    for label in ("image->stem", "shortcut", "pooled->answer"):
        np.testing.assert_array_equal(first.weights[label], again.weights[label])
        assert not np.allclose(first.weights[label], other.weights[label])
    assert not np.allclose(again.weights["shortcut~"], again.weights["shortcut"])


def test_load_state_dict_refuses_another_circuits_state_and_changes_nothing() -> None:
    sim = simulate(plain())
    state = sim.state_dict()
    before = sim.state_dict()
    with pytest.raises(SimulationError, match=r"the state must be this circuit's \(without bias/h, unknown bias/k\)"):
        sim.load_state_dict({("bias/k" if name == "bias/h" else name): value for name, value in state.items()})
    with pytest.raises(SimulationError, match=r"bias/h must have shape \[6\] \(got \[7\]\)"):
        sim.load_state_dict({**state, "steps/engaged": np.asarray(9), "bias/h": np.ones(7)})
    all_close(sim.state_dict(), before, 0)


def test_weights_gains_and_biases_are_copies_that_can_be_set() -> None:
    sim = simulate(residual(learning="kolen_pollack"))
    weight = sim.weights["shortcut"]
    weight += 1
    assert not np.allclose(sim.weights["shortcut"], weight)
    sim.weights["shortcut"] = weight
    np.testing.assert_array_equal(sim.weights["shortcut"], weight)
    weight += 1  # nor does the array that was given stay connected
    assert not np.allclose(sim.weights["shortcut"], weight)
    sim.gains["top"], sim.biases["top"] = np.arange(6), -np.arange(6)
    np.testing.assert_array_equal(sim.gains["top"], np.arange(6))
    np.testing.assert_array_equal(sim.biases["top"], -np.arange(6))
    assert set(sim.gains) == {"entry1", "hidden1", "entry2", "hidden2", "top"}
    assert set(sim.biases) == {*sim.gains, "answer"}
    assert len(sim.weights) == 7 + 6


def test_tied_weights_show_what_they_conduct_with_and_cannot_be_set() -> None:
    sim = simulate(plain("backprop"))
    np.testing.assert_array_equal(sim.weights["v1->v2~"], sim.weights["v1->v2"])
    with pytest.raises(
        SimulationError, match=r"'v1->v2~' has no weights of its own: set those of 'v1->v2' \(transpose_of\)"
    ):
        sim.weights["v1->v2~"] = sim.weights["v1->v2"]


@pytest.mark.parametrize(
    ("do", "message"),
    [
        (lambda sim: sim.weights["v1->v3"], "'v1->v3' has no weights. Did you mean 'v1->v2'?"),
        (lambda sim: sim.gains["v1"], "'v1' has no gain. there are none"),
        (lambda sim: sim.biases["image"], "'image' has no bias. valid names: v1, v2, h, answer"),
    ],
)
def test_unknown_names_are_key_errors_with_suggestions(do: Any, message: str) -> None:
    with pytest.raises(UnknownName) as caught:
        do(simulate(plain()))
    assert message in str(caught.value)
    assert isinstance(caught.value, KeyError)


def test_other_states_can_be_set_by_name() -> None:
    sim = simulate(residual())
    sim.set_state("running_mean/top", np.ones(6))
    np.testing.assert_array_equal(sim.get_state("running_mean/top"), np.ones(6))
    with pytest.raises(SimulationError, match=r"unknown state 'running_mean/tip'. Did you mean 'running_mean/top'"):
        sim.set_state("running_mean/tip", np.ones(6))
    with pytest.raises(SimulationError, match=r"running_mean/top must have shape \[6\] \(got \[5\]\)"):
        sim.set_state("running_mean/top", np.ones(5))
    with pytest.raises(SimulationError, match="the gain of 'top' cannot be removed from a compiled circuit"):
        del sim.gains["top"]


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


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("v1", "read takes 'POPULATION.COMPARTMENT' (got 'v1'). Did you mean 'v1'?"),
        ("v9.rate", "read takes 'POPULATION.COMPARTMENT' (got 'v9.rate'). Did you mean"),
        ("v1.drive", "'v1' has no 'drive'. Did you mean"),
        ("v1.rte", "'v1' has no 'rte'. Did you mean 'rate'? compartments: soma, rate, apical"),
        ("v1~.gate", "'v1~' has no 'gate'. Did you mean 'gated'? compartments: soma, gated, rate"),
    ],
)
def test_reading_what_is_not_there(name: str, message: str) -> None:
    sim = simulate(plain())
    sim.step(IMAGES, DIGITS)
    with pytest.raises(SimulationError) as caught:
        sim.read(name)
    assert message.partition(" Did")[0] in str(caught.value)
    assert message.partition("? ")[2] in str(caught.value)
    with pytest.raises(cs.CircuitError, match=r"read takes|has no"):
        simulate(plain(), watch=[name])


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
