"""The command line in processes of its own: one, one that is to die, and two that torchrun starts."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
PLAIN = ("counterstream",)
Done = subprocess.CompletedProcess[str]


def dying(how: str, folder: Path, *, step: int, rank: int = 0) -> tuple[str, ...]:
    """The command as a module with its first arguments, which comes to an end in each run once: see `killed`."""
    (folder / "marks").mkdir(exist_ok=True)
    return ("tests.engine.training.killed", how, str(folder / "marks"), str(step), str(rank))


def run(file: Path, folder: Path, *options: str) -> tuple[str, ...]:
    return ("run", str(file), "--output", str(folder / "out"), *options)


def alone(module: tuple[str, ...], arguments: tuple[str, ...], limit: float = 200) -> Done:
    return _called("-m", *module, *arguments, limit=limit)


def together(module: tuple[str, ...], arguments: tuple[str, ...], *, restarts: int = 0, limit: float = 200) -> Done:
    """On two ranks. A run that hangs fails by `limit`, in seconds."""
    options = ("--standalone", "--nproc-per-node", "2", "--max-restarts", str(restarts))
    return _called("-m", "torch.distributed.run", *options, "-m", *module, *arguments, limit=limit)


def _called(*arguments: str, limit: float) -> Done:
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        out, error = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        process.terminate()  # torchrun ends its ranks then
        process.communicate(timeout=60)
        raise
    return Done(process.args, process.returncode, out, error)
