"""Experiments on two processes: they learn what one learns, end together, and go on together."""

import re
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from counterstream.analysis import Run
from counterstream.engine.training import ExperimentError, OutputFolder, company_of, restarted, run_experiment
from counterstream.engine.training import launch as module

from .processes import PLAIN, alone, dying, run, together
from .resuming import KEYS, resumptions
from .small import prepared, save

EXACT = {
    "dtype": "float64",
    "batch": "7",  # 4 and 3 samples
    "ranks": "{normalize: shared}",
    "record": "{probe: 16, weights: {precision: float64}, signals: {populations: all, precision: float64}}",
    "learning": "[weight_mirror]",
    "modes": "{mirror: {samples: {maps: 64}}}",
}


@pytest.mark.slow
def test_two_processes_learn_what_one_learns(tmp_path: Path) -> None:
    file = save(tmp_path, validation=True, **(KEYS | EXACT))
    both = together(PLAIN, run(file, tmp_path / "two"))
    assert both.returncode == 0, both.stderr
    keys = {name: value for name, value in (KEYS | EXACT).items() if name != "learning"}
    ready = prepared(tmp_path, learning="weight_mirror", validation=True, **keys)
    run_experiment(ready, OutputFolder(tmp_path / "one/out"))
    assert both.stderr.count("test accuracy") == 1, "rank 0 alone talks"
    assert both.stdout.count("Written to") == 1
    shared, single = (Run.open(tmp_path / f"{name}/out/weight_mirror-seed0.h5") for name in ("two", "one"))
    with shared, single:
        assert shared.environment["ranks"] == "2"
        for name in ("image->v1", "flat->digit", "flat->digit~"):
            for snapshot in range(len(single.steps)):
                np.testing.assert_allclose(
                    shared.weights(name, snapshot), single.weights(name, snapshot), rtol=0, atol=1e-12
                )
        metrics = [each.metrics().drop(columns=["images_per_second", "data_wait"]) for each in (shared, single)]
        np.testing.assert_allclose(*metrics, rtol=1e-9)
        for name in ("test_accuracy", "validation_accuracy"):
            assert shared.results[name] == single.results[name]


@pytest.mark.slow
@pytest.mark.parametrize(("how", "rank"), [("raise", 1), ("raise", 0), ("kill", 1)])
def test_a_rank_that_ends_ends_the_run(tmp_path: Path, how: str, rank: int) -> None:
    file, started = save(tmp_path, **(KEYS | {"epochs": "2000"})), time.monotonic()
    done = together(dying(how, tmp_path, step=13, rank=rank), run(file, tmp_path))
    assert done.returncode != 0
    assert time.monotonic() - started < 120
    if how == "raise":
        assert f"RuntimeError: rank {rank} has had enough" in done.stderr
    with Run.open(tmp_path / "out/backprop-seed0.h5") as recording:
        assert len(recording.steps) >= 2


@pytest.mark.slow
def test_a_signal_to_one_stops_all_and_they_go_on(tmp_path: Path) -> None:
    file = save(tmp_path, **KEYS)
    stopped = together(dying("stop", tmp_path, step=13, rank=1), run(file, tmp_path))
    assert stopped.returncode != 0
    assert stopped.stderr.count("interrupted during backprop, seed 0") >= 1
    assert re.search(r"exitcode\s*: 143", stopped.stderr)
    assert (tmp_path / "out/backprop-seed0.checkpoints/step-000000014.pt").exists()
    done = together(PLAIN, run(file, tmp_path, "--resume"))
    assert done.returncode == 0, done.stderr
    assert resumptions(tmp_path / "out/backprop-seed0.h5") == 1


@pytest.mark.slow
def test_what_all_ranks_find_wrong_is_said_once(tmp_path: Path) -> None:
    done = together(PLAIN, run(save(tmp_path, batch="1"), tmp_path))
    assert done.returncode != 0
    said = "batch: must hold a sample for each of the 2 processes that share it (got 1)"
    assert done.stderr.count(f"small.yaml:17:1: {said}") <= 2  # rank 0, and torchrun's own account
    folder = tmp_path / "taken"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    done = together(PLAIN, ("run", str(save(tmp_path)), "--output", str(folder)))
    assert "must be empty" in done.stderr
    assert "in run_experiment" not in done.stderr, "torchrun shows its own calls, not ours"


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGTERM"), reason="needs SIGTERM")
def test_sigterm_ends_with_143(tmp_path: Path) -> None:
    file = save(tmp_path, **KEYS)
    done = alone(dying("stop", tmp_path, step=13), run(file, tmp_path))
    assert done.returncode == 143, done.stderr
    assert "interrupted during backprop, seed 0" in done.stderr
    assert "Traceback" not in done.stderr
    with Run.open(tmp_path / "out/backprop-seed0.h5") as recording:
        assert recording.attributes["status"] == "interrupted"
        assert recording.attributes["message"] == "terminated by SIGTERM"


def test_alone_without_torchrun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = prepared(tmp_path).experiment
    for environment in ({}, {"RANK": "0", "WORLD_SIZE": "1"}):
        with monkeypatch.context() as patch:
            for name in ("RANK", "WORLD_SIZE"):
                patch.delenv(name, raising=False)
            for name, value in environment.items():
                patch.setenv(name, value)
            with company_of(experiment) as company:
                assert (company.ranks, company.size, company.leads) == (None, 1, True)
    assert not restarted()
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "1")
    assert restarted()


def test_a_device_for_each_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def device(name: str, local_rank: int, count: int) -> str:
        monkeypatch.setattr("torch.cuda.is_available", lambda: count > 0)
        monkeypatch.setattr("torch.cuda.device_count", lambda: count)
        experiment = prepared(tmp_path).experiment
        return module._device(experiment.model_copy(update={"device": name}), local_rank)

    assert [device("cuda", rank, 2) for rank in (0, 1)] == ["cuda:0", "cuda:1"]
    assert device("auto", 1, 2) == "cuda:1"
    assert device("auto", 1, 0) == device("cpu", 1, 2) == "cpu"
    with pytest.raises(ExperimentError, match=r"device: must be cpu, cuda or auto .* \(got cuda:1\)"):
        device("cuda:1", 0, 2)
    with pytest.raises(ExperimentError, match=r"a GPU for each process of this machine \(got 2, .* number 3\)"):
        device("cuda", 2, 2)
