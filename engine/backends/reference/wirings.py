"""project, project_back, correlate and per_tap for every wiring.

Letters in the sums: n sample, g group, i channel of the lower population, o channel of the upper one, h and w
position.
"""

from collections.abc import Callable, Iterator
from math import prod
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....circuits.wiring import Conv, Flatten, Geometry, OneToOne, Pool
from ...compiler.program import Value

Floats = NDArray[np.floating[Any]]
Pair = tuple[int, int]
Tap = tuple[int, int]


# ---- windows: what convolutions and pools have in common


def taps(positions: Pair, size: Pair, stride: Pair, dilation: Pair = (1, 1)) -> Iterator[tuple[Tap, Any]]:
    """Each tap of a window, with the slices of the padded map that it reads as the window takes all positions."""
    for row in range(size[0]):
        for column in range(size[1]):
            top, left = row * dilation[0], column * dilation[1]
            yield (
                (row, column),
                (
                    ...,
                    slice(top, top + stride[0] * (positions[0] - 1) + 1, stride[0]),
                    slice(left, left + stride[1] * (positions[1] - 1) + 1, stride[1]),
                ),
            )


def padded(x: Floats, padding: Pair, value: float = 0.0, beyond: Pair = (0, 0)) -> Floats:
    """A copy with `padding` rows and columns more on each side of the last two axes, and `beyond` more after them."""
    sides = [(0, 0)] * (x.ndim - 2) + [(pad, pad + more) for pad, more in zip(padding, beyond, strict=True)]
    return np.pad(x, sides, constant_values=value)


def cropped(x: Floats, padding: Pair, beyond: Pair = (0, 0)) -> Floats:
    """The inverse of `padded`."""
    high, wide = x.shape[-2:]
    return x[..., padding[0] : high - padding[0] - beyond[0], padding[1] : wide - padding[1] - beyond[1]]


# ---- conv


def _conv_taps(geometry: Geometry) -> Iterator[tuple[Tap, Any]]:
    conv: Conv = geometry.wiring  # type: ignore[assignment]
    return taps(geometry.upper[1:], conv.kernel, conv.stride, conv.dilation)  # type: ignore[arg-type]


def _in_groups(x: Floats, groups: int, axis: int = 1) -> Floats:
    """The channel axis split in two: (groups, channels of a group)."""
    return x.reshape(*x.shape[:axis], groups, -1, *x.shape[axis + 1 :])


def conv_project(geometry: Geometry, pre: Floats, weight: Floats) -> Floats:
    conv: Conv = geometry.wiring  # type: ignore[assignment]
    lower = padded(_in_groups(pre, conv.groups), conv.pads)
    kernel = _in_groups(weight, conv.groups, axis=0)
    upper = _in_groups(np.zeros((len(pre), *geometry.upper), pre.dtype), conv.groups)
    for tap, seen in _conv_taps(geometry):
        upper += np.einsum("ngihw,goi->ngohw", lower[seen], kernel[..., *tap])
    return upper.reshape(len(pre), *geometry.upper)


def conv_project_back(geometry: Geometry, upper: Floats, weight: Floats) -> Floats:
    conv: Conv = geometry.wiring  # type: ignore[assignment]
    signal = _in_groups(upper, conv.groups)
    kernel = _in_groups(weight, conv.groups, axis=0)
    lower = padded(_in_groups(np.zeros((len(upper), *geometry.lower), upper.dtype), conv.groups), conv.pads)
    for tap, seen in _conv_taps(geometry):
        lower[seen] += np.einsum("ngohw,goi->ngihw", signal, kernel[..., *tap])
    return cropped(lower, conv.pads).reshape(len(upper), *geometry.lower)


def conv_correlate(geometry: Geometry, lower: Floats, upper: Floats) -> Floats:
    conv: Conv = geometry.wiring  # type: ignore[assignment]
    pre = padded(_in_groups(lower, conv.groups), conv.pads)
    post = _in_groups(upper, conv.groups)
    change = np.zeros((conv.groups, post.shape[2], pre.shape[2], *conv.kernel), lower.dtype)
    for tap, seen in _conv_taps(geometry):
        change[..., *tap] = np.einsum("ngihw,ngohw->goi", pre[seen], post)
    return change.reshape(geometry.weight_shape) / len(lower)


# ---- dense


def _rows(x: Floats) -> Floats:
    return x.reshape(len(x), -1)


def _upper_rows(geometry: Geometry, upper: Floats) -> Floats:
    """One column a weight row: all neurons, or, where weights are shared over positions, the sum over positions."""
    return upper.sum(axis=(2, 3)) if _shared(geometry) else _rows(upper)


def _shared(geometry: Geometry) -> bool:
    return bool(geometry.wiring.shared) and len(geometry.upper) == 3  # type: ignore[attr-defined]


def dense_project(geometry: Geometry, pre: Floats, weight: Floats) -> Floats:
    current = _rows(pre) @ weight.T
    if _shared(geometry):
        return current[:, :, None, None] + np.zeros(geometry.upper, pre.dtype)
    return current.reshape(len(pre), *geometry.upper)


def dense_project_back(geometry: Geometry, upper: Floats, weight: Floats) -> Floats:
    return (_upper_rows(geometry, upper) @ weight).reshape(len(upper), *geometry.lower)


def dense_correlate(geometry: Geometry, lower: Floats, upper: Floats) -> Floats:
    return _upper_rows(geometry, upper).T @ _rows(lower) / len(lower)


# ---- pool


def _windows(geometry: Geometry) -> tuple[Pool, Pair, Any]:
    """(the wiring, the window's size, all its taps)."""
    pool: Pool = geometry.wiring  # type: ignore[assignment]
    size, stride = pool.window(geometry.lower)
    return pool, size, taps(geometry.upper[1:], size, stride)  # type: ignore[arg-type]


def _beyond(geometry: Geometry) -> Pair:
    """How many rows and columns the last windows hang over the padded map; 0 but for pools with `ceil`."""
    pool: Pool = geometry.wiring  # type: ignore[assignment]
    high, wide = (
        max(0, (positions - 1) * stride + size - (side + 2 * pad))
        for side, positions, size, stride, pad in zip(
            geometry.lower[1:], geometry.upper[1:], *pool.window(geometry.lower), pool.padding, strict=True
        )
    )
    return high, wide


def _shares(geometry: Geometry) -> Iterator[tuple[Any, Any, int]]:
    """For windows that share a map out: the place above, the neurons below, and how many these are."""
    pool: Pool = geometry.wiring  # type: ignore[assignment]
    rows, columns = pool.spans(geometry.lower)
    for row, (top, bottom) in enumerate(rows):
        for column, (left, right) in enumerate(columns):
            below = (..., slice(top, bottom), slice(left, right))
            yield (..., row, column), below, (bottom - top) * (right - left)


def pool_project(geometry: Geometry, pre: Floats) -> Floats:
    if geometry.wiring.to is not None:  # type: ignore[attr-defined]
        return _share_project(geometry, pre)
    pool, size, windows = _windows(geometry)
    blank = 0.0 if pool.over == "average" else -np.inf
    lower = padded(pre, pool.padding, blank, _beyond(geometry))
    seen = np.stack([lower[tap] for _, tap in windows])
    return seen.sum(axis=0) / prod(size) if pool.over == "average" else seen.max(axis=0)


def pool_project_back(geometry: Geometry, upper: Floats, lower: Floats | None = None) -> Floats:
    if geometry.wiring.to is not None:  # type: ignore[attr-defined]
        return _share_project_back(geometry, upper)
    pool, size, windows = _windows(geometry)
    windows, beyond = list(windows), _beyond(geometry)
    back = padded(np.zeros((len(upper), *geometry.lower), upper.dtype), pool.padding, beyond=beyond)
    if pool.over == "average":
        for _, tap in windows:
            back[tap] += upper / prod(size)
    else:
        assert lower is not None, "a max pool reads the lower activity"
        activity = padded(lower, pool.padding, -np.inf, beyond)
        winner = np.argmax(np.stack([activity[tap] for _, tap in windows]), axis=0)  # the first of equals
        for number, (_, tap) in enumerate(windows):
            back[tap] += upper * (winner == number)
    return cropped(back, pool.padding, beyond)


def _share_project(geometry: Geometry, pre: Floats) -> Floats:
    upper = np.zeros((len(pre), *geometry.upper), pre.dtype)
    for above, below, count in _shares(geometry):
        upper[above] = pre[below].sum(axis=(-2, -1)) / count
    return upper


def _share_project_back(geometry: Geometry, upper: Floats) -> Floats:
    lower = np.zeros((len(upper), *geometry.lower), upper.dtype)
    for above, below, count in _shares(geometry):
        lower[below] += (upper[above] / count)[..., None, None]
    return lower


# ---- one-to-one and flatten


def _ranges(geometry: Geometry) -> tuple[slice, slice]:
    """Channels read and channels written."""
    wiring: OneToOne | Flatten = geometry.wiring  # type: ignore[assignment]
    if isinstance(wiring, Flatten):
        return slice(None), slice(None)
    return slice(*(wiring.source or (None,))), slice(*(wiring.target or (None,)))


def copy_project(geometry: Geometry, pre: Floats) -> Floats:
    read, written = _ranges(geometry)
    upper = np.zeros((len(pre), *geometry.upper), pre.dtype)
    upper[:, written] = pre[:, read].reshape(upper[:, written].shape)
    return upper


def copy_project_back(geometry: Geometry, upper: Floats) -> Floats:
    read, written = _ranges(geometry)
    lower = np.zeros((len(upper), *geometry.lower), upper.dtype)
    lower[:, read] = upper[:, written].reshape(lower[:, read].shape)
    return lower


# ---- the operations

PROJECT: dict[str, Callable[..., Floats]] = {
    "conv": conv_project, "dense": dense_project, "pool": pool_project,
    "one_to_one": copy_project, "flatten": copy_project,
}  # fmt: skip
PROJECT_BACK: dict[str, Callable[..., Floats]] = {
    "conv": conv_project_back, "dense": dense_project_back, "pool": pool_project_back,
    "one_to_one": copy_project_back, "flatten": copy_project_back,
}  # fmt: skip
CORRELATE: dict[str, Callable[..., Floats]] = {"conv": conv_correlate, "dense": dense_correlate}


def project(value: Value, *arrays: Floats) -> Floats:
    return PROJECT[value["geometry"].wiring.kind](value["geometry"], *arrays)


def project_back(value: Value, *arrays: Floats) -> Floats:
    return PROJECT_BACK[value["geometry"].wiring.kind](value["geometry"], *arrays)


def correlate(value: Value, lower: Floats, upper: Floats) -> Floats:
    return CORRELATE[value["geometry"].wiring.kind](value["geometry"], lower, upper)


def per_tap(value: Value, x: Floats) -> Floats:
    geometry: Geometry = value["geometry"]
    counts = np.asarray(geometry.positions if geometry.tap_counts is None else geometry.tap_counts)
    divisor = np.maximum(counts, 1) if value["kind"] == "mean" else 1.0
    return (x * (counts > 0) / divisor).astype(x.dtype)


WIRINGS = frozenset(PROJECT)
OPERATIONS: MappingProxyType[str, Callable[..., Floats]] = MappingProxyType(
    {"project": project, "project_back": project_back, "correlate": correlate, "per_tap": per_tap}
)
