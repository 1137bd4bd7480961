"""Training for real, on a small circuit: what is recorded, when, and how it ends."""

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import yaml

from counterstream.analysis import Run, matrix_angles, recipe
from counterstream.circuits.declarations import Samples
from counterstream.circuits.errors import CircuitError, CounterstreamError
from counterstream.engine.compiler.compile import compile_circuit
from counterstream.engine.data import DataError
from counterstream.engine.simulator import Simulator, compile
from counterstream.engine.training import (
    Diverged,
    EpochReport,
    ExperimentError,
    Finished,
    Interrupted,
    OutputFolder,
    RunName,
    Silent,
    attempt,
    loop,
    run_experiment,
    tallies,
)
from counterstream.engine.training.finite import first_not_finite

from .small import prepared


class Watching(Silent):
    """Progress that keeps what it hears, and may stop the run."""

    def __init__(self, interrupt_after: int | None = None) -> None:
        self.reports: list[EpochReport] = []
        self.interrupt_after = interrupt_after

    def epoch_finished(self, run: RunName, report: EpochReport) -> None:
        self.reports.append(report)
        if report.epoch == self.interrupt_after:
            raise KeyboardInterrupt


def trained(folder: Path, **keys: Any) -> tuple[Path, Watching]:
    """The recording of a finished run, and what its progress heard."""
    watching = Watching()
    finished = run_experiment(prepared(folder, **keys), OutputFolder(folder / "out"), progress=watching)
    (path,) = finished.paths
    return path, watching


def test_learns_and_records_every_epoch(tmp_path: Path) -> None:
    path, watching = trained(tmp_path, learning="kolen_pollack", epochs="4")
    with Run.open(path) as run:
        assert run.attributes["status"] == "complete"
        assert run.attributes["learning"] == "kolen_pollack"
        assert not run.attributes["transports_weights"]
        assert run.steps.tolist() == [0, 5, 10, 15, 20]
        assert run.epochs.tolist() == [0, 1, 2, 3, 4]
        assert run.pairs == (("flat->digit", "flat->digit~"),)
        assert list(run.synapses) == ["image->v1", "flat->digit", "flat->digit~"]
        assert list(run.alignment("delta_angle")) == ["v1", "flat"]
        assert list(run.alignment("matrix_angle")) == ["flat->digit"]
        assert run.results["test_accuracy"] > 0.8
        assert run.results["steps"] == 20
        assert run.results["seconds_per_step"] <= run.results["training_seconds"]
        metrics = run.metrics()
        assert metrics["step"].tolist() == [5, 10, 15, 20]
        assert metrics["rate"].tolist() == pytest.approx([0.5 * (1 + math.cos(math.pi * t / 4)) for t in (1, 2, 3, 4)])
        assert metrics["loss"].iloc[-1] < metrics["loss"].iloc[0]
    assert [report.epoch for report in watching.reports] == [1, 2, 3, 4]
    assert watching.reports[-1].loss == pytest.approx(metrics["loss"].iloc[-1])


def test_records_by_steps_and_always_the_last(tmp_path: Path) -> None:
    path, _ = trained(tmp_path, record="{weights: {when: {steps: 4}}, angles: none, metrics: {when: end}}")
    with Run.open(path) as run:
        assert run.steps.tolist() == [0, 4, 8, 10]
    with h5py.File(path) as file:
        assert list(file["metrics/step"]) == [10]
        assert len(file["alignment/step"]) == 0
        assert set(file["alignment/populations"]) == {"step", "epoch"}


def test_validation_is_measured_where_there_is_one(tmp_path: Path) -> None:
    path, watching = trained(tmp_path, validation=True)
    with Run.open(path) as run:
        accuracies = run.metrics()["validation_accuracy"]
        assert run.results["validation_accuracy"] == accuracies.iloc[-1]
    assert watching.reports[-1].validation_accuracy == accuracies.iloc[-1]


def test_the_recorded_experiment_needs_no_guesses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever defaults come to be later: what was left out is in the file."""
    path, _ = trained(tmp_path, consolidation="{schedule: {step: {milestones: [1]}}}", record="{}")
    monkeypatch.setattr(recipe, "LEFT_OUT", {})
    monkeypatch.setattr(recipe, "LEFT_OUT_FACTOR", "guessed")
    with Run.open(path) as run:
        found, said = recipe.Recipe.of(run), yaml.safe_load(run.experiment)
        shown = len(prepared(tmp_path).dataset.train)
    assert (found.optimizer, found.rate, found.momentum, found.nesterov) == ("sgd", 0.1, 0.0, False)
    assert (found.warmup, found.steps, found.rate_at(9)) == (0, 10, pytest.approx(0.01))
    assert said["batch"] == 8
    assert said["record"]["probe"] == shown == 40  # all there are


def test_memory_does_not_grow_with_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without metrics too, where nothing asks for the means."""
    monkeypatch.setattr(tallies, "RECENT", 3)
    kept: list[loop.Training] = []
    begin = loop.Training.run
    monkeypatch.setattr(loop.Training, "run", lambda self, *given: kept.append(self) or begin(self, *given))
    path, _ = trained(tmp_path, learning="weight_mirror", epochs="4", record="{metrics: none}")
    (training,) = kept
    engaged = training._tallies.durations[loop.ENGAGED, 0]
    assert (engaged.count, len(engaged.recent)) == (20, 3)
    assert training._tallies.since.steps == 20
    assert not any(isinstance(value, list) for value in vars(training._tallies.since).values())
    with Run.open(path) as run:
        assert 0 < run.results["seconds_per_step"] <= run.results["training_seconds"]


def test_in_place_it_is_the_same_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on devices: one set of weights and traces in place of two, and less to say of a run that diverges."""
    elsewhere, _ = trained(tmp_path, learning="weight_mirror")
    (tmp_path / "in place").mkdir()
    monkeypatch.setattr(attempt, "compile", lambda *given, **how: compile(*given, **(how | {"in_place": True})))
    in_place, _ = trained(tmp_path / "in place", learning="weight_mirror")
    with Run.open(elsewhere) as one, Run.open(in_place) as other:
        for name in ("image->v1", "flat->digit", "flat->digit~"):
            np.testing.assert_allclose(one.weights(name), other.weights(name), rtol=0, atol=1e-6)
        assert other.results["test_accuracy"] == one.results["test_accuracy"]
    with pytest.raises(Diverged, match=r"Not finite first in the weights of 'image->v1'"):
        run_experiment(
            prepared(tmp_path, consolidation="{rate: 1e30}", epochs="3"), OutputFolder(tmp_path / "diverging")
        )


def test_the_same_seed_gives_the_same_run(tmp_path: Path) -> None:
    weights = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        path, _ = trained(tmp_path / name, learning="weight_mirror")
        with Run.open(path) as run:
            weights.append(run.weights("flat->digit~"))
    assert np.array_equal(*weights)


@pytest.mark.parametrize(("learning", "angle"), [("backprop", 0.0), ("sign_symmetry", None)])
def test_tied_weights_are_recorded_as_they_conduct(tmp_path: Path, learning: str, angle: float | None) -> None:
    path, _ = trained(tmp_path, learning=learning)
    with Run.open(path) as run:
        w, b = run.weights("flat->digit"), run.weights("flat->digit~")
        assert run.attributes["transports_weights"]
        assert np.array_equal(np.sign(w), np.sign(b))
        if angle is not None:
            assert matrix_angles(run)["angle_degrees"].max() == angle
        else:
            assert len(np.unique(np.abs(b))) == 1


def test_modes_run_as_often_as_the_experiment_says(tmp_path: Path) -> None:
    path, _ = trained(tmp_path, learning="weight_mirror", modes="{mirror: {every: 0}}")
    with Run.open(path) as run:
        assert np.array_equal(run.weights("flat->digit~", 0), run.weights("flat->digit~", -1))


@pytest.mark.parametrize("every", [0, 1, 3])
def test_modes_with_data_see_the_batch_of_the_engaged_step(tmp_path: Path, every: int) -> None:
    seen: list[tuple[str, Any]] = []
    step = Simulator.step

    def listening(self: Simulator, data: Any, *given: Any, mode: str | None = None, **how: Any) -> dict[str, float]:
        seen.append((mode or "engaged", data))
        return step(self, data, *given, mode=mode, **how)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Simulator, "step", listening)
        trained(tmp_path, learning="information_alignment", modes=f"{{align: {{every: {every}}}}}")
    modes = [mode for mode, _ in seen]
    assert modes == [m for n in range(1, 11) for m in ("engaged", *(["align"] if every and n % every == 0 else []))]
    for (_, data), (mode, again) in pairwise(seen):
        assert mode == "engaged" or again is data


def test_modes_with_data_have_no_noise_of_their_own(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r"modes\.align: must say 'every' alone: 'align' runs on data"):
        prepared(tmp_path, learning="information_alignment", modes="{align: {samples: {maps: 2}}}")


def test_modes_take_as_much_noise_as_the_experiment_says(tmp_path: Path) -> None:
    system = {
        size: prepared(tmp_path, learning="weight_mirror", modes=f"{{mirror: {{samples: {{maps: {size}}}}}}}").systems[
            0
        ]
        for size in (3, 500)
    }
    maps = {
        size: {noise.maps for noise in compile_circuit(s.explicit).modes["mirror"].noise} for size, s in system.items()
    }
    assert maps == {3: {3}, 500: {500}}


def test_layers_take_turns_where_the_experiment_says_so(tmp_path: Path) -> None:
    system = prepared(tmp_path, learning="weight_mirror", modes="{mirror: {layers: rotate, every: 2}}").systems[0]
    declared = system.explicit.modes["mirror"]
    assert (declared.layers, declared.samples) == ("rotate", Samples(target_angle=8))
    with pytest.raises(CircuitError, match=r"modes\.mirror\.layers: must be all, rotate"):
        prepared(tmp_path, learning="weight_mirror", modes="{mirror: {layers: none}}")


def test_a_mode_that_no_system_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r"modes\.miror: must be a mode .* Did you mean 'mirror'\?"):
        prepared(tmp_path, learning="weight_mirror", modes="{miror: {every: 2}}")


def test_a_batch_larger_than_the_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r"batch: must be at most 40, .* \(got 41\)"):
        prepared(tmp_path, batch="41")


def test_data_of_another_shape_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"shape \[1, 4, 4\] of the input population 'image' \(got \[1, 8, 8\]\)"):
        prepared(tmp_path, data="digits")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_divergence_stops_with_step_and_population(tmp_path: Path) -> None:
    output = OutputFolder(tmp_path / "out")
    with pytest.raises(Diverged) as caught:
        run_experiment(prepared(tmp_path, consolidation="{rate: 1e30}", epochs="3"), output)
    message = str(caught.value)
    assert "backprop, seed 0: step " in message
    assert "Not finite first in population '" in message
    assert "Lower consolidation.rate (now 1e+30)" in message
    with Run.open(tmp_path / "out/backprop-seed0.h5") as run:
        assert run.attributes["status"] == "failed"
        assert "step" in run.attributes["message"]
        assert run.steps[0] == 0


def test_a_loss_that_overflows_is_that_of_the_output(tmp_path: Path) -> None:
    ready = prepared(tmp_path)
    sim = compile(ready.systems[0].explicit)
    sim.step(ready.dataset.train.images, ready.dataset.train.labels)
    assert first_not_finite(sim, loss=float("inf")) == "population 'digit' (its loss)"
    sim.weights["flat->digit"] = np.full_like(sim.weights["flat->digit"], np.inf)
    assert first_not_finite(sim) == "the weights of 'flat->digit'"


def test_an_interruption_keeps_what_was_recorded(tmp_path: Path) -> None:
    output, finished = OutputFolder(tmp_path / "out"), Finished()
    with pytest.raises(Interrupted, match="interrupted during backprop, seed 0"):
        run_experiment(prepared(tmp_path, epochs="5"), output, progress=Watching(2), finished=finished)
    assert finished.paths == []
    with Run.open(tmp_path / "out/backprop-seed0.h5") as run:
        assert run.attributes["status"] == "interrupted"
        assert run.steps.tolist() == [0, 5, 10]


def test_everything_that_can_be_recorded(tmp_path: Path) -> None:
    """Weights log-spaced and in halves, signals of one population at the end, angles every second epoch."""
    record = (
        "{weights: {projections: 'flat*', role: feedback, when: {log: 4}, precision: bfloat16, compression: gzip}, "
        "signals: {populations: [v1, image], when: [{steps: 15}], precision: float64}, "
        "angles: {when: {epochs: 2}}, probe: 7}"
    )
    path, watching = trained(tmp_path, learning="kolen_pollack", epochs="4", record=record)
    dataset = prepared(tmp_path).dataset
    with h5py.File(path) as file:
        assert file["synapses/step"][:].tolist() == [0, 2, 7, 20]
        assert set(file["synapses"]) == {"flat->digit~", "step", "epoch"}
        assert file["synapses/flat->digit~/weights"].dtype == np.uint16
        assert file["signals/step"][:].tolist() == [0, 15, 20]
        assert set(file["signals"]) == {"image", "v1", "step", "epoch", "sample", "label"}
        assert set(file["signals/image"]) - set(file["signals/v1"]) == set()
        assert "delta" in file["signals/v1"]
        assert "delta" not in file["signals/image"]  # errors end above the input
        rate = file["signals/v1/rate"]
        assert (rate.shape, rate.dtype) == ((3, 7, 3, 4, 4), np.float64)
        samples = file["signals/sample"][:]
        np.testing.assert_array_equal(file["signals/image/rate"][2], dataset.train.images[samples])
        np.testing.assert_array_equal(file["signals/label"], dataset.train.labels[samples])
        assert file["alignment/step"][:].tolist() == [0, 10, 20]
        assert file["metrics/step"][:].tolist() == [5, 10, 15, 20]
        angles = file["alignment/projections/flat->digit"]
        assert 0 < angles["matrix_angle"][-1] < 180
        delta = file["alignment/populations/v1/delta_angle"][:]
        assert np.isfinite(delta).all()
    assert watching.reports[1].delta_angle == watching.reports[2].delta_angle  # as last measured


def test_recorded_angles_are_those_of_recorded_weights(tmp_path: Path) -> None:
    path, _ = trained(tmp_path, learning="kolen_pollack", dtype="float64", record="{weights: {precision: float64}}")
    with h5py.File(path) as file:
        for row in range(len(file["synapses/step"])):
            w, b = (file[f"synapses/{name}/weights"][row] for name in ("flat->digit", "flat->digit~"))
            columns = file["alignment/projections/flat->digit"]
            cosine = np.vdot(w, b) / np.linalg.norm(w) / np.linalg.norm(b)
            assert columns["matrix_angle"][row] == pytest.approx(np.degrees(np.arccos(cosine)), abs=1e-5)
            assert columns["norm_ratio"][row] == pytest.approx(np.linalg.norm(b) / np.linalg.norm(w), abs=1e-12)


def test_recording_changes_nothing(tmp_path: Path) -> None:
    """Whatever is looked at and however often, the run is the same."""
    accuracies, weights = [], []
    for number, record in enumerate(
        (
            "{weights: {when: end}, angles: none, metrics: none}",
            "{weights: {when: {steps: 1}}, signals: {populations: all}}",
        )
    ):
        (tmp_path / f"{number}").mkdir()
        path, _ = trained(tmp_path / f"{number}", learning="weight_mirror", record=record)
        with h5py.File(path) as file:
            weights.append(file["synapses/flat->digit~/weights"][-1])
            accuracies.append(file["results"].attrs["test_loss"])
    np.testing.assert_array_equal(*weights)
    assert accuracies[0] == accuracies[1]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (
            "{weights: {projections: [flat*, flat->digt]}}",
            "19:41: record.weights.projections[1]: 'flat->digt' must match a projection. Did you mean 'flat->digit'?",
        ),
        ("{weights: {projections: 'stage*'}}", "'stage*' must match a projection. projections: image->v1, flat->digit"),
        (
            "{weights: {projections: 'image*', role: feedback}}",
            "projections: must match a projection of role feedback, wiring conv or dense (got none)",
        ),
        (
            "{signals: {populations: v2}}",
            "record.signals.populations: 'v2' must match a population. populations: image, v1, flat, digit",
        ),
        (
            "{signals: {populations: image, what: delta}}",
            "'image' must match a population. populations: v1, flat, digit",
        ),
    ],
)
def test_a_selector_that_matches_nothing_is_refused(tmp_path: Path, record: str, message: str) -> None:
    with pytest.raises(ExperimentError) as caught:
        prepared(tmp_path, record=record)
    assert message in str(caught.value)


def test_a_filter_that_is_not_installed_is_named_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "hdf5plugin", None)
    with pytest.raises(CounterstreamError, match=r"record: compression 'blosc2' needs the package hdf5plugin"):
        prepared(tmp_path, record="{weights: {compression: blosc2}}")
