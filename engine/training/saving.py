"""When a run is saved, and when it stops: what its processes agree on after each step."""

import signal
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from ..simulator import Simulator
from .checkpoints import Checkpoints
from .company import Company
from .interruption import Interruption, Stopped
from .keeping import Keeping


@dataclass(frozen=True, kw_only=True)
class Word:
    """What all processes agree on."""

    signal: int
    """That asked to stop; 0 if none did."""
    is_late: bool
    """Whether the clock says to save."""
    failed: bool
    """Whether the last checkpoint could not be written."""


class Saver:
    """Saves a run when its `keeping` says so, and stops it when a signal asks for that.

    Rank 0 alone has `checkpoints`; None where nothing is to be saved, or elsewhere. The clock is rank 0's.
    """

    def __init__(
        self,
        keeping: Keeping | None,
        checkpoints: Checkpoints | None,
        company: Company,
        interruption: Interruption,
    ) -> None:
        self._keeping, self._checkpoints = keeping, checkpoints
        self._company, self._interruption = company, interruption
        self._saved_at = time.monotonic()
        self.best: tuple[int, float] | None = None
        """Step and validation accuracy of the best state so far."""

    def measured(self, step: int, accuracy: float) -> None:
        """A validation accuracy, the same on all processes."""
        if self.best is None or accuracy > self.best[1]:
            self.best = step, accuracy

    def agree(self) -> Word:
        """After each step, all processes together: one small exchange."""
        asked = self._interruption.asked
        failed = self._checkpoints is not None and self._checkpoints.failed
        said = (asked == signal.SIGINT, asked == signal.SIGTERM, self._is_late and self._company.leads, failed)
        interrupted, terminated, late, broken = self._company.sums(said)
        number = signal.SIGTERM if terminated else signal.SIGINT if interrupted else 0
        return Word(signal=number, is_late=late > 0, failed=broken > 0)

    @property
    def _is_late(self) -> bool:
        minutes = self._keeping.every.minutes if self._keeping else None
        return minutes is not None and time.monotonic() - self._saved_at >= 60 * minutes

    def is_due(self, step: int, word: Word, *, steps: int, steps_per_epoch: int) -> bool:
        """Whether the state after `step` of `steps` steps is to be saved: the last one is, and one to stop in."""
        if self._keeping is None:
            return False
        is_best = self._keeping.best and self.best is not None and self.best[0] == step
        planned = step == steps or self._keeping.every.due(step, steps_per_epoch)
        return bool(word.signal) or word.is_late or is_best or planned

    def save(self, sim: Simulator, step: int, progress: Callable[[], Mapping[str, Any]], mark: "Marking") -> None:
        """Save this state once all processes have seen that they hold the same. Raises, on rank 0, what went wrong in
        saving the one before, which `agree` may not have known yet; on other ranks RankZeroFailed.
        """
        sim.check_in_step()
        self._company.told(lambda: self._handed_over(sim, step, progress, mark))
        self._saved_at = time.monotonic()

    def _handed_over(
        self, sim: Simulator, step: int, progress: Callable[[], Mapping[str, Any]], mark: "Marking"
    ) -> None:
        if self._checkpoints is not None:
            best = self.best[0] if self.best and self._keeping and self._keeping.best else None
            self._checkpoints.save(sim, step, progress(), mark(), best)

    def heed(self, word: Word) -> None:
        """Stop where that was agreed on. Raises Stopped, what went wrong in saving, or on other ranks RanksError."""
        if word.failed:
            self._company.told(self.finish)
        if word.signal:
            self._company.told(self.finish)
            raise Stopped(word.signal)

    def finish(self) -> None:
        """Wait until what was saved is written."""
        if self._checkpoints is not None:
            self._checkpoints.finish()


Marking = Callable[[], "Future[None]"]
"""Of a recorder: see `Recorder.mark`."""
