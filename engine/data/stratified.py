"""Splitting labelled samples so that every class keeps its share."""

import numpy as np
from numpy.typing import NDArray

from .dataset import Labels


def stratified(labels: Labels, size: int, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Indices (rest, chosen), both ascending: `size` samples chosen at random, each class in proportion.

    Shares are rounded by largest remainder, ties going to the smaller class label, so that exactly `size` are
    chosen. A function of labels, size and seed alone.
    """
    if not 0 <= size <= len(labels):
        raise ValueError(f"size must be between 0 and {len(labels)} (got {size})")
    classes, counts = np.unique(labels, return_counts=True)
    exact = counts * size / len(labels)
    quota = np.floor(exact).astype(int)
    largest = np.argsort(-(exact - quota), kind="stable")[: size - quota.sum()]
    quota[largest] += 1
    random = np.random.default_rng(seed)
    chosen = np.concatenate(
        [random.permutation(np.flatnonzero(labels == c))[:n] for c, n in zip(classes, quota, strict=True)]
    )
    mask = np.zeros(len(labels), dtype=bool)
    mask[chosen] = True
    return np.flatnonzero(~mask), np.flatnonzero(mask)
