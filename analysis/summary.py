"""A run in a few figures."""

from typing import Any

import pandas as pd

from .angles import delta_angles, local_angles, matrix_angles
from .run import Run

IDENTITY = ("learning", "circuit_name", "transports_weights", "seed", "status")
LENGTH = ("snapshots", "steps")  # how long the run was: no result


def summary(run: Run) -> dict[str, Any]:
    """The run's identity, its final angles in degrees and its results, as plain values (None: it has none).

    `median_matrix_angle` and `largest_matrix_angle` over projections at the last snapshot of weights, or at the
    last record of the device's where no pair of weights is recorded; `median_delta_angle` and `median_local_angle`
    over populations at the last record that measured them, the latter over those that feedback reaches through weights
    (elsewhere it is 0 by construction). Results keep their recorded names (`test_accuracy`,
    ...).
    """
    matrix = matrix_angles(run, snapshots=[-1])
    if matrix.empty:
        matrix = matrix_angles(run, source="recorded")
    angles = _last(matrix)
    return {
        **{name: run.attributes[name] for name in IDENTITY},
        "snapshots": len(run.steps),
        "median_matrix_angle": _value(angles.median()),
        "largest_matrix_angle": _value(angles.max()),
        "median_delta_angle": _value(_last(delta_angles(run)).median()),
        "median_local_angle": _value(_last(local_angles(run, weighted=True)).median()),
        **run.results,
    }


def _last(table: pd.DataFrame) -> "pd.Series[float]":
    return table[table["step"] == table["step"].max()]["angle_degrees"].dropna()


def _value(number: Any) -> float | None:
    return None if pd.isna(number) else float(number)
