"""The processes that carry out one experiment together: this one alone, or ranks that share every batch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from ...circuits.errors import CounterstreamError
from ..data.dataset import Indices
from ..errors import RanksError
from ..ranks import Ranks

Made = TypeVar("Made")


class RankZeroFailed(RanksError):
    """Rank 0 has failed, and says so itself."""

    on_every_rank = True


@dataclass(frozen=True)
class Company:
    """Every process of a company makes the same calls in the same order; alone, none of them waits for anybody.

    `ranks`: the others, if any; `device`: where this process computes, if not where the experiment says.
    """

    ranks: Ranks | None = None
    device: str | None = None

    @property
    def size(self) -> int:
        return 1 if self.ranks is None else self.ranks.size

    @property
    def rank(self) -> int:
        return 0 if self.ranks is None else self.ranks.rank

    @property
    def leads(self) -> bool:
        """Whether this is the process that reads and writes the run's folder, and talks."""
        return self.rank == 0

    def share(self, indices: Indices) -> Indices:
        """This process's part of samples that are shared out: contiguous, as even as whole numbers can be."""
        return np.array_split(indices, self.size)[self.rank]

    def sums(self, numbers: Sequence[float]) -> list[float]:
        """The sums over all processes, the same on all of them; in float64."""
        if self.ranks is None:
            return list(numbers)
        summed: list[float] = self.ranks.sum(np.array(numbers, np.float64)).tolist()
        return summed

    def told(self, make: Callable[[], Made]) -> Made:
        """What rank 0 makes, on every process: the others do not make it. Where it fails on rank 0, all raise.

        The others raise RankZeroFailed.
        """
        if self.ranks is None:
            return make()
        error: CounterstreamError | None = None
        made: Made | None = None
        if self.leads:
            try:
                made = make()
            except CounterstreamError as caught:  # the others wait for this rank's word
                error = caught
        failure, said = self.ranks.hear((None if error is None else str(error), made))
        if error is not None:
            raise error
        if failure is not None:
            raise RankZeroFailed(f"rank 0: {failure}")
        return said


ALONE = Company()
