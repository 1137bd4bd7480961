"""Singular values of W and B, and how far their leading subspaces coincide."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from .instants import INSTANT, chosen, instant
from .run import Run

SPECTRUM_COLUMNS = ["projection", "side", *INSTANT, "rank", "singular_value"]
SUBSPACE_COLUMNS = [
    "projection",
    *INSTANT,
    "rank",
    "overlap_out",
    "overlap_in",
    "largest_angle_out",
    "largest_angle_in",
]


def singular_spectra(
    run: Run, snapshots: Sequence[int] | None = None, projections: Sequence[str] | None = None
) -> pd.DataFrame:
    """One row per projection, side (`forward` W, `reverse` B), snapshot and rank (from 1): a singular value.

    A convolution's kernel stands as a matrix [out, in * kernel_row * kernel_column], its unseen taps as 0. All
    snapshots and all projections by default; memory: one snapshot of one projection, and what its decomposition
    takes.
    """
    depths, reverses = _forward(run, projections), dict(run.pairs)
    rows: list[tuple[Any, ...]] = []
    for name, depth in depths.items():
        for row in chosen(run, snapshots):
            for side, source in (("forward", name), ("reverse", reverses.get(name))):
                if source is None:
                    continue
                matrix = _matrix(run, source, row)
                values = np.linalg.svd(matrix, compute_uv=False) if np.isfinite(matrix).all() else [np.nan]
                place = (name, side, depth, *instant(run, row))
                rows += [(*place, rank, float(value)) for rank, value in enumerate(values, start=1)]
    return pd.DataFrame(rows, columns=SPECTRUM_COLUMNS)


def subspace_overlap(
    run: Run, ranks: Sequence[int] = (1, 4, 16), snapshots: Sequence[int] | None = None,
    projections: Sequence[str] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """One row per projection whose reverse is recorded too, snapshot and rank k: how the spans of the k leading
    singular vectors of W and of B lie to each other, on the side of the targets (`out`) and of the sources (`in`).

    `overlap` is the mean squared cosine of the principal angles, |U'V|^2 / k: 1 for one subspace, k / n in the mean
    for unrelated ones in n dimensions. `largest_angle` is the largest principal angle, in degrees. Ranks beyond a
    matrix's are left out. snapshots, projections: all by default.
    """
    depths, reverses = _forward(run, projections), dict(run.pairs)
    rows = [
        (name, depth, *instant(run, row), *figures)
        for name, depth in depths.items()
        if name in reverses
        for row in chosen(run, snapshots)
        for figures in _overlaps(_matrix(run, name, row), _matrix(run, reverses[name], row), ranks)
    ]
    return pd.DataFrame(rows, columns=SUBSPACE_COLUMNS)


def _overlaps(w: np.ndarray, b: np.ndarray, ranks: Sequence[int]) -> Iterator[tuple[float, ...]]:
    if not (np.isfinite(w).all() and np.isfinite(b).all()):
        return
    (out_w, _, in_w), (out_b, _, in_b) = (np.linalg.svd(matrix, full_matrices=False) for matrix in (w, b))
    for rank in ranks:
        if rank > min(w.shape):
            continue
        pairs = (out_w[:, :rank], out_b[:, :rank]), (in_w[:rank].T, in_b[:rank].T)
        overlaps, angles = zip(*(_principal(*pair) for pair in pairs), strict=True)
        yield rank, *overlaps, *angles


def _principal(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """Mean squared cosine and the largest of the principal angles (in degrees) between two orthonormal bases.

    The largest angle from its sine, the norm of what of `second` lies outside the first span: the cosine has no digits
    left near 0 (Bjorck and Golub 1973).
    """
    products = first.T @ second
    sine = np.linalg.svd(second - first @ products, compute_uv=False)[0]
    cosine = np.linalg.svd(products, compute_uv=False)[-1]
    return float((products**2).sum() / products.shape[0]), float(np.degrees(np.arctan2(sine, cosine)))


def _matrix(run: Run, projection: str, row: int) -> np.ndarray:
    weights, seen = run.weights(projection, row).astype(np.float64), run.seen(projection)
    if seen is not None:
        weights[~seen] = 0
    return weights.reshape(len(weights), -1)


def _forward(run: Run, projections: Sequence[str] | None) -> dict[str, int]:
    """The wanted forward projections, with their depths."""
    depths = {n: d for d, n in enumerate(name for name, s in run.synapses.items() if s.role == "forward")}
    if projections is None:
        return depths
    return {run.synapse(name).projection: depths[name] for name in projections if run.synapse(name).role == "forward"}
