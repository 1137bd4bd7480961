"""What theory says of Kolen-Pollack and of the weight mirror, beside real short runs of the engine."""

import math
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import yaml

import counterstream as cs
from counterstream.analysis import (
    AnalysisError,
    Run,
    difference_decay,
    kolen_pollack_theory,
    matrix_angles,
    weight_mirror_theory,
)
from counterstream.analysis.recipe import Recipe
from counterstream.circuits.declarations import Samples
from counterstream.circuits.writing import dump
from counterstream.engine.training.schedules import Constant, Cosine, Step, multiplier

from .recordings import add_weights, begun, index, record

PER_EPOCH = 4
CIRCUIT = """
format: 1
name: small
populations:
  image: {input: [1, 6, 6]}
  v1: {shape: [4, 6, 6], transfer: relu}
  v2: {shape: [4, 3, 3], transfer: relu}
  digit: {shape: [5], transfer: softmax, loss: cross_entropy}
projections:
  - {from: image, to: v1, wiring: {conv: {kernel: 3}}}
  - {from: v1, to: v2, wiring: {conv: {kernel: 3, stride: 2}}}
  - {from: v2, to: digit, wiring: dense}
"""
# Twenty lists of ten times the one before: parsed in a moment, never to be written out.
BOMB = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}' if n else 'x'] * 10)}]\n" for n in range(20)) + "epochs: *a19\n"
PAIRS = ("v1->v2", "v2->digit")


def trained(
    path: Path, learning: Any, plan: dict[str, Any], epochs: int = 3, parameters: dict[str, float] | None = None
) -> Run:
    """Trains in the engine itself, its rate set step by step, and writes the weights with h5py."""
    circuit = cs.loads(CIRCUIT, learning=learning, parameters=parameters or {})
    settings = {key: value for key, value in plan.items() if key not in ("schedule", "warmup")}
    sim = cs.compile(circuit, engine="reference", dtype="float64", seed=1, consolidation=cs.Consolidation(**settings))
    random = np.random.default_rng(0)
    names = [name for pair in PAIRS for name in (pair, f"{pair}~")]
    weights = {name: [np.asarray(sim.weights[name])] for name in names}
    schedule = {"constant": Constant(), "cosine": Cosine()}.get(str(plan.get("schedule", "constant")))
    steps = epochs * PER_EPOCH
    for step in range(steps):
        rule = schedule or Step(**plan["schedule"]["step"])
        sim.rate = multiplier(rule, step, steps=steps, steps_per_epoch=PER_EPOCH, warmup=plan.get("warmup", 0))
        sim.step(random.normal(size=(8, 1, 6, 6)), random.integers(5, size=8))
        for name in names:
            weights[name].append(np.asarray(sim.weights[name]))
    experiment = yaml.safe_dump({"epochs": epochs, "consolidation": plan})
    return written(path, sim.circuit, experiment, weights)


def written(path: Path, circuit: Any, experiment: str, weights: dict[str, list[np.ndarray]]) -> Run:
    declared = {projection.label: projection for projection in circuit.projections}
    with begun(path, circuit=dump(circuit), experiment=experiment) as file:
        count = len(next(iter(weights.values())))
        index(file["synapses"], [(step, step / PER_EPOCH) for step in range(count)])
        for name, values in weights.items():
            projection = declared[name]
            rules = {f"rule_{mode}": rule.dw for mode, rule in projection.rules.items()}
            ends = {"source": projection.source, "target": projection.target}
            add_weights(
                file, name, values, precision="float64", reverse_of=projection.reverse_of or "", **ends, **rules
            )
        file.attrs["status"] = "complete"
    return Run.open(path)


@pytest.mark.parametrize(
    "plan",
    [
        {"rate": 0.1},
        {"rate": 0.1, "momentum": 0.9, "schedule": "cosine"},
        {"rate": 0.1, "momentum": 0.9, "nesterov": True, "schedule": "cosine", "warmup": 1},
        {"rate": 0.1, "momentum": 0.5, "schedule": {"step": {"milestones": [1, 2.5], "factor": 0.2}}},
        {"optimizer": "adamw", "rate": 0.01, "schedule": "cosine"},
    ],
)
def test_kolen_pollacks_difference_follows_its_recurrence(tmp_path: Path, plan: dict[str, Any]) -> None:
    """In float64, whatever the data."""
    with trained(tmp_path / "run.h5", "kolen_pollack", plan, parameters={"decay": 0.3}) as run:
        table = kolen_pollack_theory(run)
    assert len(table) == 2 * 13
    assert (table["reason"] == "").all()
    assert table["ratio"].min() < 0.985
    np.testing.assert_allclose(table["ratio"], table["expected_ratio"], rtol=1e-8)


def test_where_the_recurrence_does_not_hold_the_reason_is_given(tmp_path: Path) -> None:
    with trained(tmp_path / "run.h5", "feedback_alignment", {"rate": 0.1}, epochs=1) as run:
        table = kolen_pollack_theory(run)
    assert table["expected_ratio"].isna().all()
    assert table["reason"].iloc[0] == "'v1->v2~' must learn in exactly one mode (got none)"


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("-pre.rate * post.apical - 0.5 * w", "decay at different rates (0.02, 0.5)"),
        ("pre.rate * post.apical - decay * w", "do not learn by the same product in the same mode"),
        ("-pre.rate * post.rate - decay * w", "do not learn by the same product in the same mode"),
        ("-tanh(pre.rate) * w", "must be one product and a decay"),
        ("-pre.rate * post.apical - leak * w", "give no number for parameters.leak (got None)"),
    ],
)
def test_rules_that_are_not_kolen_and_pollacks(tmp_path: Path, rule: str, reason: str) -> None:
    path = record(tmp_path / "run.h5", curve=lambda epoch, depth: 80 - epoch, epochs=2)
    with h5py.File(path, "r+") as file:
        file["circuit"][()] = "parameters: {decay: 0.02}"
        for name in file["synapses"]:
            if name.endswith("~"):
                file[f"synapses/{name}/weights"].attrs["rule_engaged"] = rule
    with Run.open(path) as run:
        table = kolen_pollack_theory(run)
    assert table["reason"].str.contains(reason, regex=False).all(), table["reason"][0]


def test_what_the_experiment_does_not_say_is_named(tmp_path: Path) -> None:
    path = record(tmp_path / "run.h5", curve=lambda epoch, depth: 80 - epoch, epochs=2)
    for text, message in (
        ("epochs: many", "give no number for epochs (got 'many')"),
        ("- 1", "/experiment: must be a YAML mapping (got list)"),
        ("a: ]", "/experiment: must be YAML"),
        ("[" * 5000, "/experiment: must be YAML"),
        (BOMB, "give no number for epochs (got a list)"),
        (" " * 5_000_000, "/experiment: must have at most 4194304 characters (got 5000000)"),
    ):
        with h5py.File(path, "r+") as file:
            file["experiment"][()] = text
        with Run.open(path) as run, pytest.raises(AnalysisError) as error:
            Recipe.of(run)
        assert message in str(error.value)


def test_difference_decay_measures_the_ratio_to_the_start(tmp_path: Path) -> None:
    """At equal norms |W - B| is 2 sin(angle / 2) |W|."""
    with Run.open(record(tmp_path / "run.h5", curve=lambda epoch, depth: 80 - 7 * epoch)) as run:
        table = difference_decay(run)
        length = {name: np.linalg.norm(run.weights(name, 10)) for name, _ in run.pairs}
        start = {name: np.linalg.norm(run.weights(name, 0)) for name, _ in run.pairs}
    assert (table[table["snapshot"] == 0]["ratio"] == 1).all()
    for row in table[table["snapshot"] == 10].itertuples():
        expected = length[row.projection] * math.sin(math.radians(5)) / start[row.projection]
        assert row.ratio == pytest.approx(expected / math.sin(math.radians(40)), rel=1e-5)


@pytest.mark.parametrize("samples", [{"maps": 40}, {"per_input": 3}, {"target_angle": 8}])
def test_a_mirrors_angle_is_what_the_engine_expects_and_what_it_reaches(
    tmp_path: Path, samples: dict[str, float]
) -> None:
    """W rests: the mirror runs by itself, and its angle is averaged over its last steps."""
    circuit = cs.loads(CIRCUIT, learning="weight_mirror")
    sim = cs.compile(circuit, engine="reference", dtype="float64", seed=1)
    explicit = sim.circuit
    mode = explicit.modes["mirror"].model_copy(update={"samples": Samples(**samples)})
    explicit = explicit.model_copy(update={"modes": explicit.modes | {"mirror": mode}})
    sim = cs.compile(explicit, engine="reference", dtype="float64", seed=1)
    names = [name for pair in PAIRS for name in (pair, f"{pair}~")]
    weights: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for step in range(160):
        sim.run("mirror")
        if step >= 100:
            for name in names:
                weights[name].append(np.asarray(sim.weights[name]).copy())
    with written(tmp_path / "run.h5", explicit, "epochs: 1", weights) as run:
        table = weight_mirror_theory(run).groupby("projection")[["angle_degrees", "expected_degrees"]].mean()
        assert (weight_mirror_theory(run)["reason"] == "").all()
        assert len(matrix_angles(run)) == 120
    np.testing.assert_allclose(table["angle_degrees"], table["expected_degrees"], rtol=0.12)
    if "target_angle" in samples:
        np.testing.assert_allclose(table["expected_degrees"], 8, rtol=0.05)


def test_a_system_without_a_mirror_says_so(tmp_path: Path) -> None:
    with trained(tmp_path / "run.h5", "kolen_pollack", {"rate": 0.1}, epochs=1) as run:
        table = weight_mirror_theory(run, [-1])
    assert table["expected_degrees"].isna().all()
    assert table["reason"].tolist() == [f"'{name}~' does not learn in a mode that fires noise" for name in PAIRS]
