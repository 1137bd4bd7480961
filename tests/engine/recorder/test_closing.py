"""A process comes to its end, and what it recorded is in its file: interrupted while closing, or never closed."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import pytest

from .reading import steps_of

ROOT = Path(__file__).parents[3]
SECONDS = 60  # of a thing of two; who hangs is found out

BEGIN = """
import signal, sys, threading, time
from pathlib import Path
from counterstream.engine.recorder import Weights
from counterstream.engine.recorder.file import RunFile
from counterstream.engine.training.interruption import Interruption
from tests.engine.recorder import samples
signal.signal(signal.SIGINT, signal.default_int_handler)
append = RunFile.append
def slow(self, records):
    time.sleep(0.5)
    append(self, records)
    if records[0].step == 0:
        print("written", flush=True)
RunFile.append = slow
recorder = samples.recorder(Path(sys.argv[1])).prepare()
for step in range(2):
    recorder.write(step=step, epoch=step / 4, weights=samples.weights(step))
"""
CLOSING = """
print("closing", flush=True)
recorder.close()
"""
AS_RUN_DOES = """
with Interruption():
    print("closing", flush=True)
    recorder.close()
"""


def started(path: Path, text: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", text, str(path)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen[str]) -> str:
    """What the process says on its error stream; kills one that does not end."""
    try:
        return process.communicate(timeout=SECONDS)[1]
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        pytest.fail("the process never ended")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="this system sends no SIGINT to one process")
@pytest.mark.parametrize(("text", "interrupts"), [(CLOSING, 1), (CLOSING, 3), (AS_RUN_DOES, 2)])
def test_an_interrupt_waits_until_the_recording_is_closed(tmp_path: Path, text: str, interrupts: int) -> None:
    path = tmp_path / "run.h5"
    process = started(path, BEGIN + text)
    assert process.stdout is not None
    assert process.stdout.readline() == "closing\n"
    assert process.stdout.readline() == "written\n"  # the first of two: the thread is at work, and is waited for
    for _ in range(interrupts):
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)  # two at once would arrive as one
    assert "KeyboardInterrupt" in ended(process)
    assert process.returncode != 0
    assert steps_of(path)["synapses"] == [0, 1]
    with h5py.File(path) as file:
        assert file.attrs["status"] == "complete"


@pytest.mark.slow
def test_a_recording_that_is_never_closed_is_closed_at_the_end_of_the_process(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    process = started(path, BEGIN + "raise ZeroDivisionError")
    assert "ZeroDivisionError" in ended(process)
    assert steps_of(path)["synapses"] == [0, 1]
    with h5py.File(path) as file:
        assert file.attrs["status"] == "failed"
        assert file.attrs["message"] == "the process ended before the recording was closed"
