"""Bootstrap confidence intervals of means over runs: what a few seeds can say, and no more."""

from collections.abc import Sequence

import numpy as np

LEVEL = 0.95
RESAMPLES = 10_000
SEED = 0


def interval(
    values: Sequence[float], *, level: float = LEVEL, resamples: int = RESAMPLES, seed: int = SEED
) -> tuple[float, float]:
    """The percentile bootstrap interval of the mean (Efron 1979); NaN, NaN for fewer than two values.

    `resamples` draws of len(values) values with replacement from a generator of its own (`seed`). With few values it
    is too narrow: for normal data at a nominal 95 % it holds the mean about 48 % of the time with 2 values, 75 % with
    3, 84 % with 5 and 92 % with 15.
    """
    means = _means(np.asarray(values, dtype=np.float64), resamples, np.random.default_rng(seed))
    return _percentiles(means, level)


def difference_interval(
    first: Sequence[float], second: Sequence[float], *,
    level: float = LEVEL, resamples: int = RESAMPLES, seed: int = SEED,
) -> tuple[float, float]:  # fmt: skip
    """The percentile bootstrap interval of mean(first) - mean(second), both resampled on their own: for runs that
    nothing pairs. Of paired runs, take `interval` of their differences."""
    random = np.random.default_rng(seed)
    means = [_means(np.asarray(values, dtype=np.float64), resamples, random) for values in (first, second)]
    return _percentiles(means[0] - means[1], level)


def _means(values: np.ndarray, resamples: int, random: np.random.Generator) -> np.ndarray:
    if len(values) < 2 or np.isnan(values).any():
        return np.full(resamples, np.nan)
    means: np.ndarray = values[random.integers(len(values), size=(resamples, len(values)))].mean(axis=1)
    return means


def _percentiles(means: np.ndarray, level: float) -> tuple[float, float]:
    if np.isnan(means).any():
        return float("nan"), float("nan")
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
