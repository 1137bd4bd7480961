"""A process killed with SIGKILL at any instant leaves a file that h5py opens, its confirmed records intact."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import pytest

from . import samples
from .reading import GROUPS, check_whole

KILLS = int(os.environ.get("COUNTERSTREAM_KILLS", "6"))  # more of them: benchmarks/recorder_kill.py
BUFFERS = 2
ROOT = Path(__file__).parents[3]

WRITER = f"""
import sys
from pathlib import Path
from tests.engine.recorder import samples

path = Path(sys.argv[1])
recorder = samples.recorder(path, buffers={BUFFERS})
recorder = recorder.resume() if path.exists() else recorder.prepare()
with recorder:
    first = max(recorder.last_steps.values(), default=-1) + 1
    for step in range(first, 1_000_000):
        samples.record(recorder, step)
        print(step, flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
@pytest.mark.slow
def test_killed_again_and_again_a_run_loses_nothing_confirmed(tmp_path: Path) -> None:
    """One run, killed and taken up again: each part appends to what the parts before had confirmed."""
    path = tmp_path / "run.h5"
    for kill in range(KILLS):
        handed_over = _write_until_killed(path, after=random.Random(kill).uniform(0.02, 0.4))
        with h5py.File(path, "r+") as file:  # "r+": a resumed run appends
            assert file.attrs["status"] == "running"
            found = check_whole(file)
        for group in GROUPS:
            assert found[group][-1] >= handed_over - BUFFERS - 1, group  # what waited in buffers is all that is lost
        last = max(steps[-1] for steps in found.values() if steps)
        for group, steps in found.items():  # a group that lags by a record lost it to the kill, and skips it
            assert set(range(last + 1)) - set(steps) <= _lost(path.parent, last), group
    with samples.recorder(path).resume() as recorder:
        samples.record(recorder, last + 1)
    with h5py.File(path) as file:
        assert all(steps[-1] == last + 1 for steps in check_whole(file).values())
        assert file.attrs["resumptions"] == KILLS


def _lost(folder: Path, last: int) -> set[int]:
    """The steps at which kills so far struck: one a kill, kept beside the file."""
    notes = folder / "kills.txt"
    struck = {int(line) for line in notes.read_text().split()} if notes.exists() else set()
    struck.add(last)
    notes.write_text("\n".join(map(str, sorted(struck))))
    return struck


def _write_until_killed(path: Path, after: float) -> int:
    """Kills a writer `after` seconds from its first record; the last step that it had handed over by then."""
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        first = writer.stdout.readline()
        assert first, "the writer never began"
        time.sleep(after)
        writer.send_signal(signal.SIGKILL)
        lines = [first, *writer.stdout.read().splitlines(keepends=True)]
    assert writer.returncode == -signal.SIGKILL
    return int([line for line in lines if line.endswith("\n")][-1])
