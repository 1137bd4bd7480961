"""A reader beside a writer that never rests: it sees whole snapshots, and nothing else."""

import subprocess
import sys
from pathlib import Path

from counterstream.analysis import Run, matrix_angles

SNAPSHOTS = 300
BUSY_WRITER = f"""
import sys, numpy as np
from counterstream.engine.recorder import About, Recorder, Synapse, Weights

shape = (64, 32, 3, 3)
recorder = Recorder(sys.argv[1], About(circuit="", circuit_name="", learning="", seed=0))
recorder.enrol(Weights([
    Synapse(projection="a->b", source="a", target="b", shape=shape, wiring="conv"),
    Synapse(projection="a->b~", source="b", target="a", shape=shape, wiring="conv", role="feedback", reverse_of="a->b"),
]))
with recorder.prepare():
    for step in range({SNAPSHOTS}):
        weights = np.full(shape, step + 1, np.float32)
        recorder.write(step=step, epoch=0.0, weights={{"a->b": weights, "a->b~": weights}})
        if step == 3:  # there are two buffers: the first two records are on disk
            print("begun", flush=True)
"""


def test_a_reader_beside_a_busy_writer_sees_only_whole_snapshots(tmp_path: Path) -> None:
    """The writer is another process; a reading that meets its flush is repeated."""
    path = tmp_path / "run.h5"
    with subprocess.Popen([sys.executable, "-c", BUSY_WRITER, path], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline(), "the writer never began"
        openings = 0
        while writer.poll() is None:
            openings += 1
            with Run.open(path) as run:
                last = len(run.steps) - 1
                assert (run.weights("a->b") == last + 1).all()
                assert (run.weights("a->b~", last // 2) == last // 2 + 1).all()
                assert (matrix_angles(run, [0, -1])["angle_degrees"] == 0).all()
    assert (writer.returncode, openings > 5) == (0, True)
    with Run.open(path) as run:
        assert len(run.steps) == SNAPSHOTS
