"""What a data set is to the trainer: arrays of images and labels, split for training, choosing and testing."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...circuits.errors import CounterstreamError

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]


class DataError(CounterstreamError):
    """Data that cannot be read, or that does not fit the circuit."""


@dataclass(frozen=True, eq=False)
class Split:
    """Samples of one purpose: `images` of shape (samples, *sample shape), float32; `labels` (samples,), int64."""

    images: Floats
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: NDArray[np.intp]) -> "Split":
        """The samples at `indices`, in that order."""
        return Split(self.images[indices], self.labels[indices])


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
        return self.train.images.shape[1:]

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
