"""Learning-rate schedules: the multiplier of the rate as a function of the step, warm-up included.

A new schedule is one class here and its name in `Schedule`.
"""

import math
from typing import Annotated, ClassVar

from pydantic import Field

from ...circuits.model import Declaration
from ...circuits.tagged import Choice


class Constant(Declaration):
    """The rate stays as it is."""

    kind: ClassVar[str] = "constant"

    def factor_at(self, step: int, start: int, steps: int, steps_per_epoch: int) -> float:
        return 1.0


class Cosine(Declaration):
    """Half a cosine from 1 to 0, the warm-up left out: (1 + cos(pi t / T)) / 2 (Loshchilov and Hutter 2017,
    equation 5,
    without restarts)."""

    kind: ClassVar[str] = "cosine"

    def factor_at(self, step: int, start: int, steps: int, steps_per_epoch: int) -> float:
        return 0.5 * (1 + math.cos(math.pi * (step - start) / max(1, steps - start)))


class Step(Declaration):
    """The rate is multiplied by `factor` at each milestone."""

    kind: ClassVar[str] = "step"

    milestones: tuple[float, ...] = Field(min_length=1, description="Epochs, counted from the start of training.")
    factor: float = Field(default=0.1, gt=0)

    def factor_at(self, step: int, start: int, steps: int, steps_per_epoch: int) -> float:
        passed = sum(step >= round(milestone * steps_per_epoch) for milestone in self.milestones)
        return self.factor**passed


Schedule = Annotated[Constant | Cosine | Step, Choice()]


def multiplier(
    schedule: Constant | Cosine | Step, step: int, *, steps: int, steps_per_epoch: int, warmup: float = 0
) -> float:
    """The factor on the rate in step `step` (from 0) of `steps`.

    Warm-up of `warmup` epochs, u steps: (step + 1) / (u + 1), so that step u is the first of the schedule
    itself.
    """
    start = round(warmup * steps_per_epoch)
    if step < start:
        return (step + 1) / (start + 1)
    return schedule.factor_at(step, start, steps, steps_per_epoch)
