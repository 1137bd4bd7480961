"""How long it will still take: a run at its own pace so far, and an experiment at that of its runs."""

import time
from collections.abc import Callable


class Pace:
    """Told when a run begins, which share of it is done, and when it ends. `clock` counts seconds.

    A run's pace is counted from the first share that it reports: what comes before is compilation and the reading of a
    checkpoint, and a run that was taken up again starts with what others did.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._born = clock()
        self._took: list[float] = []  # seconds of the runs that ended
        self.begin(1, 1)

    def begin(self, number: int, runs: int) -> None:
        """Run `number` (from 1) of `runs` begins."""
        self._number, self._runs = number, runs
        self._started = self._clock()
        self._first: tuple[float, float] | None = None  # (seconds, share)
        self._last: tuple[float, float] | None = None

    def at(self, share: float) -> None:
        """Of the run, `share` is done, from 0 to 1."""
        now = self._clock(), share
        self._first = self._first or now
        self._last = now

    def end(self) -> None:
        self._took.append(self._clock() - self._started)

    @property
    def elapsed(self) -> float:
        """Seconds since the first run began."""
        return self._clock() - self._born

    @property
    def left(self) -> float | None:
        """Seconds that the run will still take; None before two of its shares are known."""
        if self._first is None or self._last is None or self._last[1] <= self._first[1]:
            return None
        per_share = (self._last[0] - self._first[0]) / (self._last[1] - self._first[1])
        return max(0.0, (1 - self._last[1]) * per_share - (self._clock() - self._last[0]))

    @property
    def left_in_all(self) -> float | None:
        """Seconds that all runs will still take, if those to come are like those so far; None where no other comes."""
        own, to_come = self.left, self._runs - self._number
        if own is None or not to_come:
            return None
        lengths = [*self._took, self._clock() - self._started + own]
        return own + to_come * sum(lengths) / len(lengths)
