"""A process killed with SIGKILL at any instant leaves a file that h5py opens, confirmed records intact."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

KILLS = int(os.environ.get("COUNTERSTREAM_KILLS", "6"))  # more of them for a long look
BUFFERS = 2

WRITER = f"""
import sys, numpy as np
from counterstream.engine.recorder import Recorder, Schema, Synapse

shapes = {{"a->b": (64, 32, 3, 3), "b->c": (100, 512), "a->b~": (64, 32, 3, 3)}}
synapses = [Synapse(projection=name, source="x", target="y", role="forward", shape=shape, wiring="any")
            for name, shape in shapes.items()]
schema = Schema(circuit="", circuit_name="", learning="", transports_weights=False, environment={{}}, seed=0,
                experiment="", synapses=synapses, populations=["b"], metrics=["loss"])
with Recorder(sys.argv[1], schema, buffers={BUFFERS}) as recorder:
    for step in range(100_000):
        weights = {{name: np.full(shape, step, np.float32) for name, shape in shapes.items()}}
        recorder.snapshot(step=step, epoch=step / 2, weights=weights, delta_angles={{"b": step}})
        print(step, flush=True)
        recorder.metrics(step=step, epoch=step / 2, values={{"loss": step}})
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
@pytest.mark.parametrize("kill", range(KILLS))
def test_a_killed_writer_loses_nothing_confirmed(tmp_path: Path, kill: int) -> None:
    path = tmp_path / "run.h5"
    handed_over = _write_until_killed(path, after=random.Random(kill).uniform(0.02, 0.5))
    with h5py.File(path, "r+") as file:  # "r+": a resumed run appends
        steps = _confirmed(file["synapses/step"])
        assert len(steps) >= handed_over - BUFFERS
        np.testing.assert_array_equal(steps, np.arange(len(steps)))
        for name in ("a->b", "b->c", "a->b~"):
            weights = file[f"synapses/{name}/weights"]
            for row in steps:
                assert (weights[row] == row).all()
        np.testing.assert_array_equal(file["synapses/epoch"][: len(steps)], steps / 2)
        np.testing.assert_array_equal(file["signals/b/delta_angle"][: len(steps)], steps)
        steps = _confirmed(file["metrics/step"])
        np.testing.assert_array_equal(steps, np.arange(len(steps)))
        np.testing.assert_array_equal(file["metrics/loss"][: len(steps)], steps)
        assert file.attrs["status"] == "running"


def _write_until_killed(path: Path, after: float) -> int:
    """Kills a writer `after` seconds from its first snapshot; how many it had handed over by then."""
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        first = writer.stdout.readline()
        assert first, "the writer never began"
        time.sleep(after)
        writer.send_signal(signal.SIGKILL)
        lines = [first, *writer.stdout.read().splitlines()]
    assert writer.returncode == -signal.SIGKILL
    return len(lines) - 1  # the last line may have been cut


def _confirmed(index: h5py.Dataset) -> np.ndarray:
    steps = index[:]
    unconfirmed = np.flatnonzero(steps < 0)
    return steps[: unconfirmed[0]] if unconfirmed.size else steps
