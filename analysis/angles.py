"""Matrix and delta angles over training: how nearly a circuit's feedback mirrors its forward synapses."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from .run import Run

INSTANT = ["depth", "snapshot", "step", "epoch"]
MATRIX_COLUMNS = ["projection", *INSTANT, "angle_degrees", "norm_ratio", "difference", "sign_agreement"]
DELTA_COLUMNS = ["population", *INSTANT, "angle_degrees"]


def angle_degrees(first: np.ndarray, second: np.ndarray) -> float:
    """The angle between two arrays as vectors, in degrees; NaN where one is zero.

    2 atan2(|u - v|, |u + v|) of the unit vectors u and v, in float64: exact to rounding at 0 and 180 degrees,
    where the arc cosine loses half its digits or leaves its domain (Kahan, "How futile are mindless
    assessments of roundoff in floating-point computation?", section 12).
    """
    u, v = (np.asarray(array, dtype=np.float64).ravel() for array in (first, second))
    lengths = np.linalg.norm(u), np.linalg.norm(v)
    if not all(lengths):
        return float("nan")
    u, v = u / lengths[0], v / lengths[1]
    return float(np.degrees(2 * np.arctan2(np.linalg.norm(u - v), np.linalg.norm(u + v))))


def matrix_angles(run: Run, snapshots: Sequence[int] | None = None) -> pd.DataFrame:
    """One row per projection with a recorded reverse, and snapshot.

    With W the projection's weights and B its reverse's: `angle_degrees` between them, `norm_ratio` |B| / |W|,
    `difference` |W - B|, `sign_agreement` the share of synapses whose signs agree. `depth` counts the
    projections in the order of the forward pass. Ties are listed too (0 degrees where B is W). Taps that no
    position sees are left out. A system without reverse projections (the direct pathway) gives an empty
    frame.

    snapshots: which ones, negative from the end; all by default. Memory: one snapshot of one pair.
    """
    return pd.DataFrame(list(_matrix_rows(run, snapshots)), columns=MATRIX_COLUMNS)


def delta_angles(run: Run) -> pd.DataFrame:
    """One row per population and snapshot: the angle between the circuit's delta and backprop's, as recorded.

    Snapshots at which a population's delta angle was not measured are left out.
    """
    rows = [
        (population, depth, snapshot, *_instant(run, snapshot), angle)
        for depth, (population, angles) in enumerate(run.signals())
        for snapshot, angle in enumerate(angles)
    ]
    return pd.DataFrame(rows, columns=DELTA_COLUMNS).dropna(subset="angle_degrees", ignore_index=True)


def _matrix_rows(run: Run, snapshots: Sequence[int] | None) -> Iterator[tuple[Any, ...]]:
    count = len(run.steps)
    chosen = range(count) if snapshots is None else [s % count for s in snapshots if -count <= s < count]
    for depth, (forward, reverse) in enumerate(run.pairs):
        seen = run.seen(forward)
        seen = run.seen(reverse) if seen is None else seen
        for snapshot in chosen:
            w, b = (run.weights(name, snapshot) for name in (forward, reverse))
            if seen is not None:
                w, b = w[seen], b[seen]
            yield (forward, depth, snapshot, *_instant(run, snapshot), *_compare(w, b))


def _compare(w: np.ndarray, b: np.ndarray) -> tuple[float, float, float, float]:
    w, b = w.astype(np.float64), b.astype(np.float64)
    length = np.linalg.norm(w)
    ratio = float(np.linalg.norm(b) / length) if length else float("nan")
    agreement = float(np.mean(np.sign(w) == np.sign(b))) if w.size else float("nan")
    return angle_degrees(w, b), ratio, float(np.linalg.norm(w - b)), agreement


def _instant(run: Run, snapshot: int) -> tuple[int, float]:
    return int(run.steps[snapshot]), float(run.epochs[snapshot])
