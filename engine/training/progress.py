"""How training tells what it is doing: a small protocol that displays, logs and tests implement."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class RunName:
    """One run of an experiment: a learning system with a seed, and the file it is recorded in."""

    system: str
    seed: int
    path: Path

    def __str__(self) -> str:
        return f"{self.system}, seed {self.seed}"


@dataclass(frozen=True, kw_only=True)
class EpochReport:
    """What an epoch brought. Loss and accuracy are means over its training steps; angles are in degrees."""

    epoch: int  # from 1
    epochs: int
    loss: float
    accuracy: float
    images_per_second: float
    validation_accuracy: float | None = None
    delta_angle: float | None = None  # median over populations, at the last record


class Progress(Protocol):
    """Called from the training thread, between steps; what it does should be quick."""

    def run_started(self, run: RunName, number: int, runs: int, epochs: int) -> None: ...

    def epoch_finished(self, run: RunName, report: EpochReport) -> None: ...

    def run_finished(self, run: RunName, accuracy: float, seconds: float) -> None: ...


class Silent:
    """Progress that nobody watches."""

    def run_started(self, run: RunName, number: int, runs: int, epochs: int) -> None:
        pass

    def epoch_finished(self, run: RunName, report: EpochReport) -> None:
        pass

    def run_finished(self, run: RunName, accuracy: float, seconds: float) -> None:
        pass
