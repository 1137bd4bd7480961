"""Running sums of a run, as plain numbers that a checkpoint can hold: what its steps came to, how long they took."""

import math
from collections import deque
from dataclasses import asdict, dataclass, field
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
    def data_wait(self) -> float | None:
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

    def saved(self) -> dict[str, Any]:
        return asdict(self) | {"recent": list(self.recent)}

    @classmethod
    def of(cls, saved: dict[str, Any]) -> Self:
        return cls(saved["count"], saved["seconds"], deque(saved["recent"], maxlen=RECENT))
