"""Steps by the clock: contenders take turns, so that whatever else the machine does meets all of them alike."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

WARM_UP = 3
"""Steps before the clock starts: the first compiles, and memory is asked for."""

Step = Callable[[], float]


@dataclass(frozen=True)
class Spread:
    """A median with its quartiles, and of how many."""

    median: float
    low: float
    high: float
    n: int


def spread(values: Sequence[float]) -> Spread:
    low, median, high = np.percentile(np.asarray(values), [25, 50, 75])
    return Spread(float(median), float(low), float(high), len(values))


def ratios(times: Sequence[float], baseline: Sequence[float]) -> Spread:
    """Of the steps of one and the same turn: what slows the machine for a while slows both."""
    return spread([one / other for one, other in zip(times, baseline, strict=True)])


def alternate(steps: Mapping[str, Step], turns: int, told: Callable[[int], None]) -> dict[str, list[float]]:
    """Seconds of every step, by name. In each turn every contender steps once; who comes first changes from turn to
    turn. `told` hears of every turn that is over."""
    names = list(steps)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(turns):
        first = turn % len(names)
        for name in (*names[first:], *names[:first]):
            started = time.perf_counter()
            steps[name]()
            seconds[name].append(time.perf_counter() - started)
        told(turn + 1)
    return seconds
