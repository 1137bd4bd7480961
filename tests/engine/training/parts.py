"""Runs in parts, each part in processes of its own: python -m tests.engine.training.parts FOLDER RANKS STEP SYSTEM...

Trains the small experiment with each system, once straight through (FOLDER/straight), and once (FOLDER/killed) so that
the last rank dies by SIGKILL after step STEP; then all go on with what there is. The processes are forks of this one,
which has loaded everything and computes nothing: so many could not be started otherwise in a test's time.
"""

import os
import signal
import socket
import sys
import traceback
from pathlib import Path

from counterstream.engine.training import OutputFolder, company_of, run_experiment

from .killed import dying
from .resuming import KEYS
from .small import prepared

LIMIT = 120  # seconds for a part; one that hangs ends by SIGALRM


def part(folder: Path, output: Path, system: str, ranks: int) -> list[int]:
    """Start or go on with a run on so many ranks; the exit status of each."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    children = [os.fork() or _rank(folder, output, system, rank, ranks, port) for rank in range(ranks)]
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def _rank(folder: Path, output: Path, system: str, rank: int, ranks: int, port: int) -> int:
    """What a fork does. It never returns."""
    signal.alarm(LIMIT)
    where = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(ranks)} | where
    try:
        ready = prepared(folder, learning=system, **KEYS)
        with company_of(ready.experiment) as company:
            begun = OutputFolder.begun if (output / ".counterstream.json").exists() else OutputFolder
            run_experiment(ready, company.told(lambda: begun(output)), company=company, resume=True)
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def main(folder: Path, ranks: int, step: int, systems: list[str]) -> None:
    (folder / "marks").mkdir()
    for system in systems:
        assert part(folder, folder / "straight" / system, system, ranks) == [0] * ranks
    dying("kill", folder / "marks", step, str(ranks - 1))
    for system in systems:
        ends = part(folder, folder / "killed" / system, system, ranks)
        assert ends[-1] == -signal.SIGKILL, ends
        assert 0 not in ends
        assert part(folder, folder / "killed" / system, system, ranks) == [0] * ranks


if __name__ == "__main__":
    given = sys.argv[1:]
    main(Path(given[0]), int(given[1]), int(given[2]), given[3:])
