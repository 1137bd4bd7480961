"""Dropout: who drops out, what that does to both streams, and that any process draws the same."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import counterstream as cs
from counterstream.circuits.locality import conducts
from counterstream.engine.simulator import Simulator

from .nets import SYSTEMS, Array, all_close, close, learned, masks, once, simulate

DROPS = {"v1": 0.3, "shared": 0.5, "h": 0.25}
NET = """
name: drops
populations:
  image: {input: [2, 7, 6]}
  v1: {normalize: {batch: {epsilon: 0.01, momentum: 0.2}}, transfer: relu6, dropout: 0.3}
  v2: {transfer: hardswish, normalize: {batch: {epsilon: 0.001}}, gain: false, bias: false}
  shared: {dropout: 0.5}
  h: {transfer: relu, dropout: 0.25}
  answer: {transfer: softmax}
projections:
  - {from: image, to: v1, wiring: {conv: {channels: 4, kernel: 3, padding: 2}}}
  - {from: v1, to: v2, wiring: {pool: {kind: max, size: 3, stride: 2, ceil: true}}}
  - {from: v2, to: shared, wiring: {pool: {kind: average, to: [3, 5]}}}
  - {from: shared, to: h, wiring: {dense: {size: 7}}}
  - {from: h, to: answer, wiring: {dense: {size: 3}}}
"""
"""Dropout behind a normalization, in a linear population, and behind a rectifier; and whatever else is new to it."""


def circuit(learning: str = "backprop", **parameters: float) -> cs.Circuit:
    return cs.loads(NET, learning=learning, parameters=parameters)


def batch(samples: int = 5, seed: int = 0) -> tuple[Array, Array]:
    random = np.random.default_rng(seed)
    return 3 * random.normal(size=(samples, 2, 7, 6)), random.integers(0, 3, samples)


def transmitting(sim: Simulator, population: str = "shared") -> Array:
    """The mask of the last step, where the rate would never be 0 by itself."""
    return (sim.read(f"{population}.rate") != 0) * 1.0


# ---- what it does


class Twin(nn.Module):
    """The circuit as a torch module that takes its masks from outside."""

    def __init__(self, sim: Simulator) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 4, 3, padding=2, bias=False)
        self.first = nn.BatchNorm2d(4, eps=0.01, momentum=0.2)
        self.second = nn.BatchNorm2d(4, eps=0.001, affine=False)
        self.hidden, self.out = nn.Linear(4 * 3 * 5, 7), nn.Linear(7, 3)
        self.double()
        with torch.no_grad():
            for name, tensor in self.states().items():
                tensor.copy_(torch.from_numpy(sim.get_state(name)))

    def states(self) -> dict[str, torch.Tensor]:
        return {
            "weights/image->v1": self.conv.weight,
            "weights/shared->h": self.hidden.weight,
            "weights/h->answer": self.out.weight,
            "gain/v1": self.first.weight,
            "bias/v1": self.first.bias,
            "bias/h": self.hidden.bias,
            "bias/answer": self.out.bias,
            "running_mean/v1": self.first.running_mean,
            "running_variance/v1": self.first.running_var,
            "running_mean/v2": self.second.running_mean,
            "running_variance/v2": self.second.running_var,
        }

    def forward(self, image: torch.Tensor, masks: dict[str, torch.Tensor] | None) -> torch.Tensor:
        def dropped(name: str, x: torch.Tensor) -> torch.Tensor:
            return x if masks is None else x * masks[name] / (1 - DROPS[name])

        x = dropped("v1", functional.relu6(self.first(self.conv(image))))
        x = functional.hardswish(self.second(functional.max_pool2d(x, 3, 2, ceil_mode=True)))
        x = dropped("shared", functional.adaptive_avg_pool2d(x, (3, 5)))
        return self.out(dropped("h", self.hidden(x.flatten(1)).relu()))


@pytest.mark.parametrize("engine", ["torch", "reference"])
def test_steps_equal_autograds_with_the_same_masks(engine: str) -> None:
    how = cs.Consolidation(rate=0.1, momentum=0.9)
    sim = simulate(circuit(decay=0.0), engine=engine, consolidation=how)
    twin = Twin(sim)
    optim = torch.optim.SGD(twin.parameters(), lr=0.1, momentum=0.9)
    for step in range(3):
        images, classes = batch(seed=step)
        given = masks(sim, len(images), np.random.default_rng(step))
        metrics = sim.step(images, classes, noise=given)
        optim.zero_grad()
        answer = twin(torch.from_numpy(images), {name: torch.from_numpy(mask) for name, mask in given.items()})
        loss = functional.cross_entropy(answer, torch.from_numpy(classes))
        loss.backward()
        optim.step()
        assert metrics["loss"] == pytest.approx(loss.item(), rel=1e-12)
    fixed = {"gain/v2": np.ones(4), "bias/v2": np.zeros(4)}  # declared not to learn
    expected = {name: tensor.detach().numpy() for name, tensor in twin.states().items()} | fixed
    all_close({name: sim.get_state(name) for name in expected}, expected, 1e-10)
    images, _ = batch(seed=9)
    close(sim.predict(images), twin.eval()(torch.from_numpy(images), None).softmax(1).detach().numpy(), 1e-10)


@pytest.mark.parametrize("system", ["feedback_alignment", "kolen_pollack", "weight_mirror"])
def test_with_b_equal_to_w_every_system_is_backprop(system: str) -> None:
    sims = [simulate(circuit(name)) for name in ("backprop", system)]
    for label in sims[1].weights:
        if label.endswith("~"):
            sims[1].weights[label] = sims[1].weights[label.removesuffix("~")]
    given = masks(sims[0], 5, np.random.default_rng(0))
    exact, found = (learned(sim, *batch(), noise=given) for sim in sims)
    all_close({name: found[name] for name in exact}, exact, 1e-10)


@pytest.mark.parametrize("engine", ["torch", "reference"])
def test_a_neuron_drops_out_in_both_streams(engine: str) -> None:
    sim = simulate(circuit("direct_feedback_alignment"), engine=engine)
    given = masks(sim, 5, np.random.default_rng(0))
    sim.step(*batch(), noise=given)
    for name in ("v1", "h"):
        gated, mask = sim.read(f"{name}~.gated"), given[name]
        derivative = (sim.read(f"{name}.rate") > 0) & (sim.read(f"{name}.rate") * (1 - DROPS[name]) < 6)
        expected = sim.read(f"{name}~.soma") * derivative * mask / (1 - DROPS[name])
        assert gated.any()
        assert not gated[mask == 0].any()
        close(gated, expected, 1e-12)


def test_without_a_gate_the_feedback_neuron_hears_nothing_of_it() -> None:
    """Written by hand: the mask travels over the cross-projection with role gate, and no other way."""
    explicit = cs.expand(circuit())
    ungated = explicit.model_copy(
        update={"cross": [c for c in explicit.cross if not (c.role == "gate" and c.source == "shared")]}
    )
    sim = simulate(ungated)
    sim.step(*batch())
    close(sim.read("shared~.rate"), sim.read("shared~.soma"), 1e-15)


def test_neurons_drop_out_as_often_as_declared_and_the_mean_is_kept() -> None:
    """Of n draws the share deviates by sqrt(p (1 - p) / n); five of that are not seen by chance."""
    text = "{populations: {x: {input: 400}, v: {dropout: P}}, projections: [{from: x, to: v, wiring: one_to_one}]}"
    for p in (0.05, 0.5, 0.9):
        for engine, dtype in (("torch", "float32"), ("reference", "float64")):
            sim = cs.compile(cs.loads(text.replace("P", str(p))), engine=engine, dtype=dtype, watch=["v.rate"])
            sim.step(np.ones((500, 400)))
            rate = sim.read("v.rate")
            assert np.unique(rate).tolist() == [0.0, pytest.approx(1 / (1 - p), rel=1e-6)]
            silent, deviation = (rate == 0).mean(), np.sqrt(p * (1 - p) / rate.size)
            assert abs(silent - p) < 5 * deviation
            for axis in (0, 1):  # a mask a sample and a neuron: neither all samples nor all neurons share one
                assert (rate == 0).mean(axis=axis).std() == pytest.approx(
                    np.sqrt(p * (1 - p) / rate.shape[axis]), rel=0.25
                )


@pytest.mark.parametrize("engine", ["torch", "reference"])
def test_predictions_and_evaluations_have_none(engine: str) -> None:
    bare = NET
    for p in DROPS.values():
        bare = bare.replace(f", dropout: {p}", "").replace(f"dropout: {p}", "")
    sims = [simulate(c, engine=engine) for c in (circuit(), cs.loads(bare, learning="backprop"))]
    for sim in sims:
        assert "dropout" not in " ".join([*sim.compiled.predict.inputs, *sim.compiled.evaluate.inputs])
    assert sims[0].step(*batch()) != sims[1].step(*batch())
    sims[0].load_state_dict(sims[1].state_dict())
    close(*(sim.predict(batch()[0]) for sim in sims), 1e-15)
    assert sims[0].evaluate(*batch()) == pytest.approx(sims[1].evaluate(*batch()), rel=1e-15)


def test_modes_without_data_have_none() -> None:
    sim = simulate(circuit("weight_mirror"))
    programs = sim.compiled.modes["mirror"]
    assert {noise.name.partition("/")[0] for noise in programs.noise} == {"noise"}
    assert not any(name.startswith("dropout/") for name in programs.observe.inputs)
    bare = simulate(cs.loads(NET.replace(", dropout: 0.25", ""), learning="weight_mirror"))
    for other in (sim, bare):
        other.run("mirror", 2)
    close(sim.weights["h->answer~"], bare.weights["h->answer~"], 0)


# ---- the same numbers everywhere


def test_masks_follow_from_seed_step_and_population() -> None:
    first, twin, other = (simulate(circuit(), seed=seed, watch=["shared.rate"]) for seed in (0, 0, 1))
    seen = []
    for step in range(3):
        for sim in (first, twin, other):
            sim.step(*batch(seed=step))
        np.testing.assert_array_equal(transmitting(first), transmitting(twin))
        seen += [transmitting(first), transmitting(other)]
    assert len({mask.tobytes() for mask in seen}) == 6
    v1, h = first.read("v1.rate") != 0, first.read("h.rate") != 0
    assert v1[:, 0, 0, :6].tobytes() != h[:, :6].tobytes()


def test_a_resumed_run_goes_on_with_the_same_masks() -> None:
    sim = simulate(circuit())
    for step in range(2):
        sim.step(*batch(seed=step))
    resumed = simulate(circuit())
    resumed.load_state_dict(sim.state_dict())
    for one in (sim, resumed):
        one.step(*batch(seed=2))
    np.testing.assert_array_equal(transmitting(sim), transmitting(resumed))
    all_close(resumed.state_dict(), sim.state_dict(), 0)


SHOW = """
import numpy as np, counterstream as cs
sim = cs.compile(cs.loads({text!r}, learning="backprop"), engine={engine!r}, seed=3)
sim.step(np.ones((4, 2, 7, 6)), np.zeros(4, int))
print("".join(str(int(rate != 0)) for rate in sim.read("shared.rate").ravel()))
"""


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["reference", "torch"])
def test_another_process_draws_the_same(engine: str) -> None:
    shown = [
        subprocess.run(
            [sys.executable, "-c", SHOW.format(text=NET, engine=engine)],
            env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in (1, 2)
    ]
    assert shown[0] == shown[1]
    assert {*shown[0].strip()} == {"0", "1"}


def test_reading_sees_the_masks_of_the_step() -> None:
    names = ["v1.rate", "shared.rate", "shared~.gated", "h.rate", "v1~.rate"]
    kept, again = simulate(circuit(), watch=names), simulate(circuit())
    for sim in (kept, again):
        sim.step(*batch())
    for name in names:
        close(again.read(name), kept.read(name), 1e-15, name)
        np.testing.assert_array_equal(again.read(name), again.read(name))


def test_delta_angles_probe_with_masks_of_their_own() -> None:
    sim = simulate(circuit("feedback_alignment"))
    before = sim.state_dict()
    angles = sim.delta_angles(*batch())
    assert angles == sim.delta_angles(*batch())
    assert {"v1", "shared", "h"} <= angles.keys()
    assert all(np.isfinite(list(angles.values())))
    all_close(sim.state_dict(), before, 0)
    twin = simulate(circuit("feedback_alignment"))
    for one in (sim, twin):  # nor does a probe move the masks of the steps
        one.step(*batch())
    all_close(sim.state_dict(), twin.state_dict(), 0)
    exact = simulate(circuit()).delta_angles(*batch())
    assert max(exact.values()) < 1e-5


def test_batches_may_change_their_size() -> None:
    sim = simulate(circuit())
    for samples in (5, 2, 8):
        sim.step(*batch(samples))
        assert len(sim.read("shared.rate")) == samples


# ---- masks from outside


def test_given_masks_and_drawn_ones_may_stand_side_by_side() -> None:
    sim, drawn = simulate(circuit()), simulate(circuit())
    mask = np.arange(5 * 60).reshape(5, 4, 3, 5) % 3 == 0
    for given in (mask, mask.astype(np.float32), torch.from_numpy(mask), torch.from_numpy(mask).float()):
        sim.load_state_dict(drawn.state_dict())
        sim.step(*batch(), noise={"shared": given})
        np.testing.assert_array_equal(transmitting(sim), mask)
    drawn.step(*batch())
    np.testing.assert_array_equal(sim.read("v1.rate"), drawn.read("v1.rate"))


@pytest.mark.parametrize(
    ("noise", "message"),
    [
        ({"sharde": np.ones((5, 4, 3, 5))}, r"mode 'engaged' has no dropout at 'sharde'. Did you mean 'shared'"),
        ({"v2": np.ones((5, 4, 5, 4))}, r"mode 'engaged' has no dropout at 'v2'\. .*v1, shared, h"),
        (
            {"shared": np.ones((5, 4, 3, 4))},
            r"'shared' takes an array of shape \[batch, 4, 3, 5\] \(got \[5, 4, 3, 4\]",
        ),
        ({"shared": np.ones((4, 4, 3, 5))}, r"the mask of 'shared' must hold 5 samples, like the data \(got 4\)"),
        ({"shared": np.full((5, 4, 3, 5), 0.5)}, r"a mask holds 1 where a neuron of 'shared' .* else 0 \(got 0\.5\)"),
        ({"shared": np.full((5, 4, 3, 5), np.nan)}, r"a mask holds 1 .* \(got nan\)"),
        ({"shared": "all"}, r"'shared' takes real numbers"),
    ],
)
def test_masks_that_do_not_fit_are_refused(noise: dict[str, Any], message: str) -> None:
    sim = simulate(circuit())
    with pytest.raises(cs.CounterstreamError, match=message):
        sim.step(*batch(), noise=noise)
    assert sim.steps["engaged"] == 0


# ---- what is declared


@pytest.mark.parametrize("system", SYSTEMS)
def test_expanding_writes_it_and_gates_it(system: str) -> None:
    explicit = cs.expand(circuit(system))
    assert {name: p.dropout for name, p in explicit.populations.items() if p.dropout} == DROPS
    assert "dropout: 0.5" in cs.dump(explicit)
    assert cs.loads(cs.dump(explicit)) == explicit
    assert cs.loads(cs.dump(circuit(system))) == circuit(system)
    graph = simulate(explicit).compiled.graph
    for name in DROPS:
        if name in graph.partners:  # on the direct pathway, populations that learn
            gates = [c for c in explicit.cross if c.role == "gate" and c.target == graph.partners[name]]
            assert [c.source for c in gates] == [name]
            assert conducts(graph, gates[0].modes, "engaged")


def test_the_check_says_what_the_gate_hands_on() -> None:
    found = dict(cs.check(circuit("kolen_pollack")).departures)
    assert "shared~" in found
    assert found["shared~"].message == "its gate hands on who dropped out of 'shared', one number a neuron"
    assert cs.check(circuit("kolen_pollack")).local


def test_probability_zero_is_no_dropout() -> None:
    none = cs.loads(NET.replace("dropout: 0.25", "dropout: 0.0"), learning="backprop")
    assert "dropout/h" not in once(none).compiled.modes["engaged"].observe.inputs
    assert none.populations["h"] == cs.loads(NET.replace(", dropout: 0.25", ""), learning="backprop").populations["h"]
