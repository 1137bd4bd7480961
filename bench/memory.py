"""Peak memory of one contender, in a process of its own: `python -m counterstream.bench.memory NAME < plan.json`.

On CUDA, what the allocator held at most. On a CPU, weights and traces, and what the process grew by beyond them.
"""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import torch

from .contenders import Contender, Unavailable, batch_of, contender
from .plan import Plan

STEPS = 3
_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def peak(plan: Plan, name: str) -> int | None:
    """Bytes, or None where this machine cannot tell. Raises Unavailable where the process failed."""
    command = [sys.executable, "-m", __name__, name]
    done = subprocess.run(command, input=json.dumps(asdict(plan)), capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        raise Unavailable(f"the process that measures its memory failed: {reason}")
    found: int | None = json.loads(done.stdout.splitlines()[-1])
    return found


def measured(plan: Plan, name: str) -> int | None:
    """The same, in this process, which should have done nothing else."""
    batch = batch_of(plan)
    one = contender(plan, name, batch)
    return _on_cuda(one) if batch.images.is_cuda else _on_cpu(one)


def _on_cuda(one: Contender) -> int:
    torch.cuda.reset_peak_memory_stats()
    for _ in range(STEPS):
        one.step()
    return torch.cuda.max_memory_allocated()


def _on_cpu(one: Contender) -> int | None:
    if not _STATUS.exists():
        return None
    _RESET.write_text("5", encoding="ascii")  # the high-water mark falls to what is held now
    before = _resident("VmRSS")
    for _ in range(STEPS):
        one.step()
    return one.held + max(0, _resident("VmHWM") - before)


def _resident(field: str) -> int:
    """Bytes, from a line such as `VmHWM:  123456 kB`."""
    line = next(line for line in _STATUS.read_text(encoding="ascii").splitlines() if line.startswith(field + ":"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    said = json.load(sys.stdin)
    for key in ("learning", "engines", "against"):
        said[key] = tuple(said[key])
    print(json.dumps(measured(Plan(**said), sys.argv[1])))
