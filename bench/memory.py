"""Peak memory of one contender, in processes of its own: `python -m counterstream.bench.memory NAME HOW < plan.json`.

Two figures. *tensors*: what live tensors came to at most in a step: on CUDA by the allocator's account, on a CPU by the
account that torch's profiler keeps of every allocation; the same in every run. *process*, on a CPU: weights and traces,
and what the process grew by beyond them in its first steps, so with what the C library keeps for itself and what a
compiler leaves behind.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from ..engine.backends.torch.engine import torch_device
from .contenders import Contender, Unavailable, batch_of, contender
from .plan import Plan

STEPS = 3
_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_MEASURED = "counterstream.bench.memory"  # marks the step that counts in the profiler's account


@dataclass(frozen=True)
class Memory:
    """Bytes at the peak; None where this machine cannot tell."""

    tensors: int | None
    process: int | None


def peak(plan: Plan, name: str) -> Memory:
    """Raises Unavailable where a process failed."""
    return Memory(_elsewhere(plan, name, "tensors"), _elsewhere(plan, name, "process"))


def _elsewhere(plan: Plan, name: str, how: str) -> int | None:
    command = [sys.executable, "-m", __name__, name, how]
    done = subprocess.run(command, input=json.dumps(asdict(plan)), capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        raise Unavailable(f"the process that measures its memory failed: {reason}")
    found: int | None = json.loads(done.stdout.splitlines()[-1])
    return found


def tensors(plan: Plan, name: str) -> int | None:
    """What live tensors came to at most in a step, the contender's own and the batch. None where its weights are not
    among them: an engine's arrays need not be torch's."""
    make: Callable[[], Contender] = lambda: contender(plan, name, batch_of(plan))  # noqa: E731
    one, found = _on_cuda(make()) if torch_device(plan.device).type == "cuda" else _on_cpu(make)
    return found if found >= one.held else None


def _on_cuda(one: Contender) -> tuple[Contender, int]:
    for _ in range(STEPS):
        one.step()
    torch.cuda.reset_peak_memory_stats()
    one.step()
    return one, torch.cuda.max_memory_allocated()


def _on_cpu(make: Callable[[], Contender]) -> tuple[Contender, int]:
    """The profiler knows only what was allocated under its eyes, so all is, and the last step counts."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as account:
        one = make()
        for _ in range(STEPS):
            one.step()
        with torch.profiler.record_function(_MEASURED):
            one.step()
    events = account.profiler.kineto_results.events()  # type: ignore[union-attr, unused-ignore]
    begun = next(event.start_ns() for event in events if event.name() == _MEASURED)
    live = highest = 0
    for event in sorted((event for event in events if event.name() == "[memory]"), key=lambda event: event.start_ns()):
        live += event.nbytes()
        highest = max(highest, live) if event.start_ns() >= begun else live
    return one, highest


def process(plan: Plan, name: str) -> int | None:
    """Weights and traces, and what this process, which should have done nothing else, grows by in its first steps."""
    if torch_device(plan.device).type == "cuda" or not _STATUS.exists():
        return None
    one = contender(plan, name, batch_of(plan))
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
    print(json.dumps({"tensors": tensors, "process": process}[sys.argv[2]](Plan(**said), sys.argv[1])))
