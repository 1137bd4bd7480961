"""What a data set is to the trainer: images and labels, split for training, choosing and testing, and in batches."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...circuits.errors import CounterstreamError

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]
Indices = NDArray[np.intp]


class DataError(CounterstreamError):
    """Data that cannot be read, or that does not fit the circuit."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Batch:
    """Samples as a step takes them.

    `images` (samples, *sample shape), an array or a tensor on the device; `labels` (samples,), classes as int64.
    `target` is what the network is to answer: the classes, or rates (samples, classes) where labels are smoothed or
    mixed.
    """

    images: Any
    labels: Labels
    target: Any

    def __len__(self) -> int:
        return len(self.labels)


class Draw(NamedTuple):
    """The samples of one training batch, or of a process's share of it, and the epoch in which they are seen."""

    epoch: int
    indices: Indices


class Split(ABC):
    """Samples of one purpose: `labels` (samples,), classes as int64; `shape` of one sample, as a circuit takes it.

    1. `take` gives chosen samples as they are evaluated: nothing about them is random.
    2. `stream` gives batches as they are trained on. What is random about a sample follows from (seed, epoch, sample)
       and nothing else: not from earlier batches, nor from how many processes read, nor from who shares the batch.
    3. `chunks` gives all of chosen samples in turn, as `take` does, prepared ahead.
    """

    labels: Labels

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Of one sample."""

    @property
    def rates(self) -> bool:
        """Whether the targets of its stream are rates instead of classes."""
        return False

    @property
    def skipped(self) -> Mapping[str, str] | None:
        """Bad files that a stream of this process met and replaced, by name: why they are bad. None where none is ever
        replaced.
        """
        return None

    def __len__(self) -> int:
        return len(self.labels)

    @abstractmethod
    def take(self, indices: Indices) -> Batch:
        """The samples at `indices`, in that order."""

    @abstractmethod
    def stream(self, draws: Iterable[Draw], *, seed: int, device: str) -> AbstractContextManager[Iterator[Batch]]:
        """The batches of `draws`, in their order, on `device`. Leaving the context ends what prepares them ahead."""

    @abstractmethod
    def chunks(self, indices: Indices, size: int, *, device: str) -> AbstractContextManager[Iterator[Batch]]:
        """The samples at `indices` in batches of at most `size`, in that order, on `device`."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """A named data set of `classes` classes. `validation`, if any, shares no sample with `train`."""

    name: str
    classes: int
    train: Split
    test: Split
    validation: Split | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one sample, as an input population declares it."""
        return self.train.shape

    @property
    def splits(self) -> dict[str, Split]:
        """The splits that exist, by name."""
        found = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: split for name, split in found.items() if split is not None}


def check_fit(dataset: Dataset, population: str, shape: tuple[int, ...], output: str, classes: int) -> None:
    """Raise DataError unless samples have the shape of the input population and labels fit the output
    population.

    An output with more neurons than the data has classes is allowed: they stay silent.
    """
    if dataset.shape != tuple(shape):
        raise DataError(
            f"data {dataset.name}: a sample must have the shape {list(shape)} of the input population "
            f"'{population}' "
            f"(got {list(dataset.shape)}). Declare '{population}: {{input: {list(dataset.shape)}}}' or "
            f"reshape the data"
        )
    if dataset.classes > classes:
        raise DataError(
            f"data {dataset.name}: the output population '{output}' must have a neuron for each class "
            f"(got {classes} neurons, {dataset.classes} classes). Give '{output}' {dataset.classes} neurons"
        )
    if dataset.train.rates and dataset.classes < classes:
        raise DataError(
            f"data {dataset.name}: where labels are smoothed or images mixed, the output '{output}' must have "
            f"as many neurons as there are classes (got {classes} neurons, {dataset.classes} classes)"
        )
