"""Where a run stands in its data: the step says it all, since the order of samples follows from seed and epoch."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from ..data import Draw, steps_per_epoch, training_batches
from .company import ALONE, Company


@dataclass(frozen=True, kw_only=True)
class Course:
    """The steps of a run: `samples` to train on, shuffled by `seed` in each of `epochs`, `batch` of them a step."""

    samples: int
    batch: int
    epochs: int
    seed: int

    @property
    def per_epoch(self) -> int:
        """Steps an epoch has."""
        return steps_per_epoch(self.samples, self.batch)

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        return self.per_epoch * self.epochs

    def rest_of_epoch(self, step: int, company: Company = ALONE) -> Iterator[Draw]:
        """What the steps from `step` (from 0) to the end of its epoch see: of each batch this process's share.

        The shares of all processes, rank 0's first, are the batch that one process would see.
        """
        epoch, done = divmod(step, self.per_epoch)
        for indices in islice(training_batches(self.samples, self.batch, self.seed, epoch), done, None):
            yield Draw(epoch, company.share(indices))
