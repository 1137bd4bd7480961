"""What a benchmark found."""

from collections.abc import Mapping
from dataclasses import dataclass

from .machine import Limits
from .memory import Memory
from .plan import Plan
from .timing import Spread


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One contender: seconds a step, the ratio to its baseline, bytes at the peak, and arithmetic where it is ours."""

    name: str
    what: str
    seconds: Spread
    baseline: str | None
    ratio: Spread | None
    memory: Memory | None
    flops: int | None
    """Of one step, by the cost model; a multiply-add is two."""
    moved: int | None
    """Bytes that one step would move if no two operations were fused."""

    def images_per_second(self, batch: int) -> float:
        return batch / self.seconds.median


@dataclass(frozen=True, kw_only=True)
class Contest:
    """A plan carried out: contenders in the order of the plan, those who could not take part with the reason."""

    plan: Plan
    machine: Mapping[str, str]
    limits: Limits | None
    measured: tuple[Measured, ...]
    absent: Mapping[str, str]

    def __getitem__(self, name: str) -> Measured:
        return next(one for one in self.measured if one.name == name)
