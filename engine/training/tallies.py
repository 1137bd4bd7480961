"""Running sums of a run, as plain numbers that a checkpoint can hold: what its steps came to, how long they took."""

import math
import time
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any, Self

RECENT = 1024
"""Of how many latest durations a median is taken: the rest of a run adds nothing to it but memory."""


@dataclass
class Tally:
    """Means over the steps that were added, as sums. `seconds` are those of steps, `waited` those spent on data."""

    steps: int = 0
    losses: float = 0.0
    accuracies: float = 0.0
    seconds: float = 0.0
    waited: float = 0.0

    def add(self, *, loss: float, accuracy: float, seconds: float, waited: float) -> None:
        self.steps += 1
        self.losses += loss
        self.accuracies += accuracy
        self.seconds += seconds
        self.waited += waited

    @property
    def loss(self) -> float:
        return self.losses / self.steps if self.steps else math.nan

    @property
    def accuracy(self) -> float:
        return self.accuracies / self.steps if self.steps else math.nan

    @property
    def data_wait_share(self) -> float | None:
        """The share of that time which was spent waiting for data."""
        elapsed = self.seconds + self.waited
        return self.waited / elapsed if elapsed else None

    def images_per_second(self, batch: int) -> float:
        """What training sees of the data by the clock, waiting for them included."""
        elapsed = self.seconds + self.waited
        return self.steps * batch / elapsed if elapsed else math.nan


@dataclass
class Durations:
    """How often something ran, and how long: in all, and as a median of the latest RECENT."""

    count: int = 0
    seconds: float = 0.0
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT))

    def add(self, seconds: float) -> None:
        self.count += 1
        self.seconds += seconds
        self.recent.append(seconds)

    @property
    def median(self) -> float:
        return median(self.recent)


class Tallies:
    """All that a run counts: its steps since the last metrics row and in the present epoch, and how long each mode's
    turns took.
    """

    def __init__(self) -> None:
        self.since, self.in_epoch = Tally(), Tally()
        self.waited = 0.0
        """Seconds spent on data, of the whole run."""
        self.durations: dict[tuple[str, int], Durations] = defaultdict(Durations)  # by mode and turn

    def add(self, *, loss: float, accuracy: float, seconds: float, waited: float) -> None:
        """A step; seconds of modes beside it included."""
        for tally in (self.since, self.in_epoch):
            tally.add(loss=loss, accuracy=accuracy, seconds=seconds, waited=waited)
        self.waited += waited

    def took(self, mode: str, turn: int, started: float) -> float:
        """The seconds since `started`, by `time.perf_counter`, which are counted as that turn's."""
        seconds = time.perf_counter() - started
        self.durations[mode, turn].add(seconds)
        return seconds

    def end_row(self) -> Tally:
        """What there was since the last metrics row; a new one begins."""
        since, self.since = self.since, Tally()
        return since

    def end_epoch(self) -> Tally:
        """What there was in this epoch; a new one begins."""
        mean, self.in_epoch = self.in_epoch, Tally()
        return mean

    @property
    def seconds(self) -> float:
        """Of all steps, modes included."""
        return sum(times.seconds for times in self.durations.values())

    def seconds_per_step(self, steps: int) -> float:
        """Medians, so that neither the first steps nor what else the machine does counts much."""
        return sum(times.median * times.count / steps for times in self.durations.values())

    def saved(self, *, at_end_of_epoch: bool) -> dict[str, Any]:
        """As plain values."""
        return {
            "since": asdict(self.since),
            "in_epoch": asdict(Tally() if at_end_of_epoch else self.in_epoch),
            "waited": self.waited,
            "durations": [
                {"mode": mode, "turn": turn, **asdict(times), "recent": list(times.recent)}
                for (mode, turn), times in self.durations.items()
            ],
        }

    @classmethod
    def of(cls, saved: Mapping[str, Any]) -> Self:
        """From what `saved` gave."""
        found = cls()
        found.since, found.in_epoch = Tally(**saved["since"]), Tally(**saved["in_epoch"])
        found.waited = saved["waited"]
        for times in saved["durations"]:
            recent = deque(times["recent"], maxlen=RECENT)
            found.durations[times["mode"], times["turn"]] = Durations(times["count"], times["seconds"], recent)
        return found
