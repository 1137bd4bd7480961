"""A plan carried out: everyone built, warmed up, timed in turns; then memory, one process each."""

from collections.abc import Callable

import torch

from ..engine.backends.torch.engine import torch_device
from ..engine.backends.torch.precision import PRECISIONS
from ..engine.compiler.circuit_cost import circuit_cost
from ..engine.compiler.compile import compile_circuit
from .contenders import SGD, Contender, Unavailable, batch_of, contender
from .machine import about, limits
from .memory import Memory, peak
from .plan import BenchError, Plan
from .results import Contest, Measured
from .timing import WARM_UP, alternate, ratios, spread

Say = Callable[[str], None]


def compare(plan: Plan, say: Say = lambda line: None, *, memory: bool = True) -> Contest:
    """Measure every contender. `say` hears what is going on, line by line. Raises BenchError if nobody can take part.

    On CUDA, cudnn chooses its algorithms by trial (cudnn.benchmark), for all.
    """
    device = torch_device(plan.device)
    before, torch.backends.cudnn.benchmark = torch.backends.cudnn.benchmark, True
    try:
        absent: dict[str, str] = {}
        ready = _ready(plan, absent, say)
        if not ready:
            raise BenchError("nobody can take part: " + "; ".join(f"{name}: {why}" for name, why in absent.items()))
        say(f"timing {plan.steps} steps each, in turns")
        every = max(1, plan.steps // 5)
        seconds = alternate(
            {one.name: one.step for one in ready},
            plan.steps,
            lambda turn: say(f"  turn {turn} of {plan.steps}") if turn % every == 0 else None,
        )
        machine, reach = about(device), limits(device, plan.dtype)
    finally:
        torch.backends.cudnn.benchmark = before
    found = []
    for one in ready:
        baseline = plan.baseline(one.name)
        flops, moved = _cost(plan, one.name)
        found.append(
            Measured(
                name=one.name,
                what=one.what,
                seconds=spread(seconds[one.name]),
                baseline=baseline,
                ratio=ratios(seconds[one.name], seconds[baseline]) if baseline in seconds else None,
                memory=_memory(plan, one.name, say) if memory else None,
                flops=flops,
                moved=moved,
            )
        )
    return Contest(plan=plan, machine=machine, limits=reach, measured=tuple(found), absent=absent)


def _ready(plan: Plan, absent: dict[str, str], say: Say) -> list[Contender]:
    """Those who can step, warmed up; the others go to `absent`."""
    batch, ready = batch_of(plan), []
    for name in plan.contenders:
        say(f"building and warming up {name}")
        try:
            one = contender(plan, name, batch)
            for _ in range(WARM_UP):
                one.step()
        except Unavailable as error:
            absent[name] = str(error)
            say(f"  left out: {error}")
        else:
            ready.append(one)
    return ready


def _memory(plan: Plan, name: str, say: Say) -> Memory | None:
    say(f"memory of {name}, in processes of its own")
    try:
        return peak(plan, name)
    except Unavailable as error:
        say(f"  not measured: {error}")
        return None


def _cost(plan: Plan, name: str) -> tuple[int, int] | tuple[None, None]:
    """(flops, bytes moved) of a step of ours."""
    system, slash, _ = name.partition("/")
    if not slash:
        return None, None
    compiled = compile_circuit(plan.load(system), SGD)
    cost = circuit_cost(compiled, batch=plan.batch, itemsize=PRECISIONS[plan.dtype].compute.itemsize)
    total = cost.modes[compiled.data_mode].total
    return total.flops, total.moved
