"""Many ranks: rank 0 writes; where that fails, all of them end with its error, none waits for ever."""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import h5py
import pytest

from counterstream.engine.recorder import Metrics, RecordingError, SharedRecorder

from . import samples
from .reading import steps_of

ROOT = Path(__file__).parents[3]

RANK = """
import resource, signal, sys
from datetime import timedelta
from pathlib import Path

import torch
from torch import distributed

from counterstream.engine.recorder import RecordingError, SharedRecorder
from tests.engine.recorder import samples

rank, path, store, limit = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
distributed.init_process_group(
    "gloo", init_method=f"file://{store}", rank=rank, world_size=2, timeout=timedelta(seconds=60)
)
if rank == 0 and limit:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    with SharedRecorder(samples.recorder(path) if rank == 0 else None).prepare() as recorder:
        for step in range(20 if limit == 0 else 100_000):
            gradient = torch.ones(3)
            distributed.all_reduce(gradient)  # where a rank that goes on alone would hang
            given = dict(weights=samples.weights(step), signals=samples.signals(step)) if rank == 0 else {}
            recorder.write(step=step, epoch=step / 4, **given)
        recorder.result("ranks", 2)
except RecordingError as error:
    sys.exit(f"rank {rank} ended: {error}")
finally:
    distributed.destroy_process_group()  # else Gloo's threads may outlive what they use, and abort the process
"""


def run_ranks(folder: Path, limit: int) -> tuple[list[int], list[str], Path]:
    """Exit codes and standard errors of two ranks, of which rank 0's files may not grow beyond `limit` bytes."""
    path, store = folder / "run.h5", folder / "store"
    commands = [[sys.executable, "-c", RANK, str(rank), str(path), str(store), str(limit)] for rank in range(2)]
    ranks = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for command in commands]
    try:
        errors = [rank.communicate(timeout=90)[1] for rank in ranks]
    finally:
        for rank in ranks:
            rank.kill()
    return [rank.returncode for rank in ranks], errors, path


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="this system cannot limit a file's size")
def test_every_rank_ends_when_rank_0_cannot_write(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    started = time.monotonic()
    codes, errors, path = run_ranks(tmp_path, 400_000)
    assert codes == [1, 1], errors
    assert time.monotonic() - started < 60  # the process group would have waited so long
    for rank, prefix in enumerate(("", "rank 0: ")):
        assert f"rank {rank} ended: {prefix}{path}: recording stopped, " in errors[rank]
        assert "could not be written: File too large" in errors[rank]
    found = steps_of(path)
    assert len(found["synapses"]) > 3


@pytest.mark.slow
def test_ranks_that_write_nothing_end_well(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    codes, errors, path = run_ranks(tmp_path, 0)
    assert codes == [0, 0], errors
    assert steps_of(path) == {"synapses": list(range(20)), "signals": list(range(20)), "alignment": [], "metrics": []}
    with h5py.File(path) as file:
        assert (file.attrs["status"], file["results"].attrs["ranks"]) == ("complete", 2)


class Together:
    """An agreement of two threads that stand for ranks."""

    def __init__(self) -> None:
        self.barrier = threading.Barrier(2, timeout=20)
        self.said = ""

    def of(self, rank: int) -> "threading.local | object":
        def agree(message: str) -> str:
            if rank == 0:
                self.said = message
            self.barrier.wait()
            said = self.said
            self.barrier.wait()
            return said

        return agree


def both(tmp_path: Path, act: object) -> list[str]:
    """What two ranks raise, each in a thread of its own; empty where nothing."""
    together, raised = Together(), ["", ""]

    def rank(number: int) -> None:
        recorder = samples.recorder(tmp_path / "run.h5", Metrics(["loss"])) if number == 0 else None
        try:
            act(SharedRecorder(recorder, together.of(number)))  # type: ignore[operator]
        except (RecordingError, ZeroDivisionError) as error:
            raised[number] = f"{type(error).__name__}: {error}"

    threads = [threading.Thread(target=rank, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
    return raised


def test_a_file_that_is_there_already_stops_every_rank(tmp_path: Path) -> None:
    (tmp_path / "run.h5").write_text("precious")
    raised = both(tmp_path, lambda shared: shared.prepare())
    assert all("the file exists" in message for message in raised)
    assert raised[1].startswith("RecordingError: rank 0: ")


def test_what_does_not_fit_stops_every_rank(tmp_path: Path) -> None:
    def act(shared: SharedRecorder) -> None:
        with shared.prepare():
            shared.write(step=0, epoch=0, metrics={"los": 1})

    assert all("metric 'los' is not enrolled" in message for message in both(tmp_path, act))
    with h5py.File(tmp_path / "run.h5") as file:
        assert file.attrs["status"] == "failed"


def test_an_error_of_any_kind_on_rank_0_is_told(tmp_path: Path) -> None:
    class Values(dict[str, float]):
        def get(self, *_: object) -> float:
            raise ZeroDivisionError

    def act(shared: SharedRecorder) -> None:
        with shared.prepare():
            shared.write(step=0, epoch=0, metrics=Values(loss=1))

    assert both(tmp_path, act) == ["ZeroDivisionError: ", "RecordingError: rank 0: ZeroDivisionError"]


def test_resuming_is_shared_too(tmp_path: Path) -> None:
    def first(shared: SharedRecorder) -> None:
        with shared.prepare():
            shared.write(step=4, epoch=1, metrics=samples.metrics(4))

    def second(shared: SharedRecorder) -> None:
        with shared.resume(4):
            shared.write(step=8, epoch=2, metrics=samples.metrics(8))

    assert both(tmp_path, first) == both(tmp_path, second) == ["", ""]
    with h5py.File(tmp_path / "run.h5") as file:
        assert file["metrics/step"][:].tolist() == [4, 8]
