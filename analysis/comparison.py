"""Several learning systems over several seeds: means, spreads, and what the seeds can say about a difference."""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from . import bootstrap
from .grouping import Identity, counting, distinct, grouped, left_out
from .run import Run
from .summary import IDENTITY, LENGTH, summary

COLUMNS = ["system", "quantity", "runs", "mean", "spread", "low", "high"]
DIFFERENCE_COLUMNS = ["system", "baseline", "quantity", "paired", "runs", "difference", "low", "high"]


def by_system(runs: Iterable[Run]) -> dict[str, list[Run]]:
    """Runs of the same learning system, circuit and experiment, in the order in which systems first occur; each file
    once. Names say no more than tells them apart: `kolen_pollack`, or `kolen_pollack, digits_resnet`."""
    return grouped(distinct(runs), Identity.of)


def comparison(runs: Mapping[str, Sequence[Run]]) -> pd.DataFrame:
    """One row per system (name -> its runs, say one a seed) and quantity of `summary`.

    `mean` over its complete runs (over all where none is), `spread` (sample standard deviation) and the bootstrap
    interval `low` to `high` of the mean; the last three are NaN with one run. `frame.attrs` says how the interval
    came about (method, level, resamples, seed), and which files were `left_out`.
    """
    with np.errstate(invalid="ignore"):  # results may be infinite
        rows = [
            (system, quantity, len(values), float(np.mean(values)), _spread(values), *bootstrap.interval(values))
            for system, table in _tables(runs).items()
            for quantity, values in _quantities(table)
        ]
    return _told(pd.DataFrame(rows, columns=COLUMNS), runs)


def differences(runs: Mapping[str, Sequence[Run]], baseline: str | None = None) -> pd.DataFrame:
    """One row per other system and quantity: the mean difference to the baseline.

    That is the first system with the same circuit and settings, if there is one; or for all the one that is named.
    Where both have runs of the same seeds, one run a seed, of the same circuit and settings, their differences are
    paired by seed (`paired`; `runs` counts the pairs): the same initial weights and the same order of samples cancel.
    Otherwise all complete runs of both count. `low` to `high` is the bootstrap interval, NaN with one run or pair.
    `frame.attrs` as in `comparison`.
    """
    tables = _tables(runs)
    contexts = {system: Identity.of(runs[system][0]).context for system in tables}
    if not tables or (baseline is not None and baseline not in tables):
        raise KeyError(f"baseline {baseline!r}: it must be one of {', '.join(tables) or 'no systems'}")
    rows = []
    for system, table in tables.items():
        base = baseline or next(other for other in tables if contexts[other] == contexts[system])
        if system != base:
            paired = contexts[system] == contexts[base]
            rows += [
                (system, base, quantity, *_difference(table, tables[base], quantity, paired=paired))
                for quantity, _ in _quantities(table)
                if quantity in tables[base]
            ]
    return _told(pd.DataFrame(rows, columns=DIFFERENCE_COLUMNS), runs)


def _tables(runs: Mapping[str, Sequence[Run]]) -> dict[str, pd.DataFrame]:
    kept = {system: counting(distinct(members)) for system, members in runs.items() if members}
    return {system: pd.DataFrame([summary(run) for run in members]) for system, members in kept.items()}


def _quantities(table: pd.DataFrame) -> list[tuple[str, list[float]]]:
    """The numbers of a system's summaries, each with the values of the runs that have it."""
    found = []
    for name in table.columns:
        if name not in (*IDENTITY, *LENGTH):
            values = pd.to_numeric(table[name], errors="coerce").dropna()
            if len(values):
                found.append((str(name), [float(value) for value in values]))
    return found


def _difference(
    table: pd.DataFrame, base: pd.DataFrame, quantity: str, *, paired: bool
) -> tuple[bool, int, float, float, float]:
    """(paired, runs, difference, low, high)."""
    own, other = (pd.to_numeric(t.set_index("seed")[quantity], errors="coerce").dropna() for t in (table, base))
    paired = paired and own.index.is_unique and other.index.is_unique
    if paired and len(shared := own.index.intersection(other.index)):
        each = [float(own[seed] - other[seed]) for seed in shared]
        return True, len(each), float(np.mean(each)), *bootstrap.interval(each)
    if own.empty or other.empty:
        return False, 0, math.nan, math.nan, math.nan
    ends = bootstrap.difference_interval(own.tolist(), other.tolist())
    return False, min(len(own), len(other)), float(own.mean() - other.mean()), *ends


def _spread(values: Sequence[float]) -> float:
    return float(np.std(values, ddof=1)) if len(values) > 1 else math.nan


def _told(frame: pd.DataFrame, runs: Mapping[str, Sequence[Run]]) -> pd.DataFrame:
    frame.attrs |= {
        "method": "percentile bootstrap of the mean over runs",
        "level": bootstrap.LEVEL,
        "resamples": bootstrap.RESAMPLES,
        "seed": bootstrap.SEED,
        "left_out": [str(run.path) for members in runs.values() for run in left_out(members)],
    }
    return frame
