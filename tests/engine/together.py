"""Jobs for several ranks on this machine: processes of their own, Gloo, and a limit of time, so that a hang fails."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]

START = """
import os, sys, warnings
from datetime import timedelta
from pathlib import Path

import numpy as np
import torch
from torch import distributed

import counterstream as cs
from counterstream.engine import Ranks, RanksError
from tests.engine.nets import SYSTEMS, plain, plain_batch, residual, residual_batch, simulate

warnings.simplefilter("error")
torch.set_num_threads(1)
rank, size, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
store = f"file://{folder}/store"
distributed.init_process_group("gloo", init_method=store, rank=rank, world_size=size, timeout=timedelta(seconds=60))


def keep(name, **arrays):
    np.savez(folder / f"{name}.{rank}.npz", **arrays)


"""

END = """
distributed.destroy_process_group()
"""


@dataclass(frozen=True)
class Done:
    """What came of a job: each rank's exit code, output and standard error."""

    folder: Path
    codes: list[int]
    outputs: list[str]
    errors: list[str]

    def kept(self, name: str) -> list[dict[str, np.ndarray]]:
        """What each rank kept under a name."""
        return [dict(np.load(self.folder / f"{name}.{rank}.npz")) for rank in range(len(self.codes))]


def together(job: str, folder: Path, *, size: int = 2, limit: float = 120) -> Done:
    """Run a job (Python, after START) on `size` ranks and wait for all of them, at most `limit` seconds."""
    script = START + job + END
    commands = [[sys.executable, "-c", script, str(rank), str(size), str(folder)] for rank in range(size)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    ranks = [subprocess.Popen(command, cwd=ROOT, **pipes) for command in commands]
    try:
        said = [rank.communicate(timeout=limit) for rank in ranks]
    finally:
        for rank in ranks:
            rank.kill()
    return Done(folder, [rank.returncode for rank in ranks], [out for out, _ in said], [err for _, err in said])


def succeeded(job: str, folder: Path, *, size: int = 2, limit: float = 120) -> Done:
    """As `together`, where every rank ends well."""
    done = together(job, folder, size=size, limit=limit)
    assert done.codes == [0] * size, "\n".join(done.errors)
    return done
