"""A run, and several, in a few figures."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from .angles import delta_angles, matrix_angles
from .run import Run


def summary(run: Run) -> dict[str, Any]:
    """The run's identity, its final angles in degrees and its results, as plain values (None: it has none).

    `median_matrix_angle` and `largest_matrix_angle` over projections at the last snapshot;
    `median_delta_angle` over populations at the last snapshot that measured them. Results keep their recorded
    names (`test_accuracy`, ...).
    """
    matrix = matrix_angles(run, snapshots=[-1])["angle_degrees"].dropna()
    delta = delta_angles(run)
    delta = delta[delta["snapshot"] == delta["snapshot"].max()]["angle_degrees"]
    identity = ("learning", "circuit_name", "transports_weights", "seed", "status")
    return {
        **{name: run.attributes[name] for name in identity},
        "snapshots": len(run.steps),
        "median_matrix_angle": _value(matrix.median()),
        "largest_matrix_angle": _value(matrix.max()),
        "median_delta_angle": _value(delta.median()),
        **run.results,
    }


def comparison(runs: Mapping[str, Sequence[Run]]) -> pd.DataFrame:
    """One row per system (name -> its runs, say one a seed).

    The mean over runs of every number in `summary`; where a system has several runs, their spread as well, in
    columns `<name>_spread` (sample standard deviation). `runs` counts them.
    """
    rows = []
    for system, members in runs.items():
        table = pd.DataFrame([summary(run) for run in members])
        figures = table.drop(columns=["learning", "circuit_name", "transports_weights", "seed", "status"])
        figures = figures.apply(pd.to_numeric, errors="coerce")
        row: dict[str, Any] = {
            "system": system,
            "transports_weights": bool(table["transports_weights"].any()),
            "runs": len(members),
        }
        for name in figures:
            row[name] = figures[name].mean()
            row[f"{name}_spread"] = figures[name].std()
        rows.append(row)
    return pd.DataFrame(rows).drop(columns="snapshots_spread", errors="ignore")


def difference_decay(run: Run) -> pd.DataFrame:
    """How |W - B| shrinks: `difference` per projection and snapshot, and its `ratio` to the first snapshot's.

    In Kolen-Pollack the ratio follows from rate, decay and momentum alone, the same in every layer, whatever
    the data: in the long run exp(-rate decay / (1 - momentum)) a step. NaN where the first difference is zero
    (ties).
    """
    table = matrix_angles(run)[["projection", "depth", "snapshot", "step", "epoch", "difference"]]
    start = table.groupby("projection")["difference"].transform("first")
    return table.assign(ratio=(table["difference"] / start).where(start > 0))


def _value(number: Any) -> float | None:
    return None if pd.isna(number) else float(number)
