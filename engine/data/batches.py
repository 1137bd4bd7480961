"""The order in which samples are seen: a function of seed and epoch, and of nothing else."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_ORDER_STREAM = 0x0DE4  # keeps this stream apart from other uses of the same seed


def order(samples: int, seed: int, epoch: int) -> NDArray[np.intp]:
    """The permutation of `samples` indices for one epoch. A run resumed at an epoch sees what it would have seen."""
    return np.random.default_rng([_ORDER_STREAM, seed, epoch]).permutation(samples)


def steps_per_epoch(samples: int, batch: int) -> int:
    """How many training batches an epoch has."""
    return samples // batch


def training_batches(samples: int, batch: int, seed: int, epoch: int) -> Iterator[NDArray[np.intp]]:
    """Indices of each full batch of a shuffled epoch.

    The last, incomplete batch is dropped: batch statistics and gradient noise then have one scale in every
    step, and the samples left out differ from epoch to epoch.
    """
    shuffled = order(samples, seed, epoch)
    for start in range(0, steps_per_epoch(samples, batch) * batch, batch):
        yield shuffled[start : start + batch]


def probe_indices(samples: int, size: int, seed: int = 0) -> NDArray[np.intp]:
    """A fixed choice of at most `size` samples, in ascending order: what delta angles are measured on."""
    chosen = np.random.default_rng([_ORDER_STREAM, seed]).permutation(samples)[:size]
    return np.sort(chosen)
