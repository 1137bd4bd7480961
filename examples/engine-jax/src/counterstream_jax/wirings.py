"""project, project_back, correlate and per_tap for every wiring.

A current is linear in the activity and in the weight, but for maxima. So each wiring is written down once: its way back
and its correlation are the adjoints in the one argument and in the other, which `jax.linear_transpose` makes of it.
"""

from collections.abc import Callable, Mapping
from math import prod
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from counterstream.circuits.wiring import Conv, Dense, Flatten, Geometry, OneToOne, Pool
from counterstream.engine.compiler.program import Value

Array = jax.Array
Pads = list[tuple[int, int]]


# ---- currents


def conv(geometry: Geometry, pre: Array, weight: Array) -> Array:
    wiring: Conv = geometry.wiring
    return lax.conv_general_dilated(
        pre,
        weight,
        window_strides=wiring.stride,
        padding=[(pad, pad) for pad in wiring.pads],
        rhs_dilation=wiring.dilation,
        dimension_numbers=("NCHW", "OIHW", "NCHW"),
        feature_group_count=wiring.groups,
        precision=lax.Precision.HIGHEST,  # no TF32
    )


def dense(geometry: Geometry, pre: Array, weight: Array) -> Array:
    wiring: Dense = geometry.wiring
    current = jnp.matmul(pre.reshape(len(pre), -1), weight.T, precision=lax.Precision.HIGHEST)
    if wiring.shared and len(geometry.upper) == 3:
        return jnp.broadcast_to(current[:, :, None, None], (len(pre), *geometry.upper))
    return current.reshape(len(pre), *geometry.upper)


def pool(geometry: Geometry, pre: Array) -> Array:
    wiring: Pool = geometry.wiring
    if wiring.to is not None:
        high, wide = (_shares(spans, pre.dtype) for spans in wiring.spans(geometry.lower))
        return jnp.einsum("hi,ncij,wj->nchw", high, pre, wide, precision=lax.Precision.HIGHEST)
    size, stride, pads = _windows(geometry)
    windows: tuple[Any, ...] = ((1, 1, *size), (1, 1, *stride), [(0, 0), (0, 0), *pads])
    if wiring.over == "max":
        return lax.reduce_window(pre, np.array(-np.inf, pre.dtype), lax.max, *windows)
    return lax.reduce_window(pre, np.array(0, pre.dtype), lax.add, *windows) / prod(size)


def copy(geometry: Geometry, pre: Array) -> Array:
    wiring: OneToOne | Flatten = geometry.wiring
    if isinstance(wiring, Flatten):
        return pre.reshape(len(pre), *geometry.upper)
    taken = pre if wiring.source is None else pre[:, slice(*wiring.source)]
    if wiring.target is None:
        return taken
    first, last = wiring.target
    return jnp.pad(taken, [(0, 0), (first, geometry.upper[0] - last), *[(0, 0)] * (taken.ndim - 2)])


CURRENTS: Mapping[str, Callable[..., Array]] = MappingProxyType(
    {"conv": conv, "dense": dense, "pool": pool, "one_to_one": copy, "flatten": copy}
)


def _shares(spans: tuple[tuple[int, int], ...], dtype: Any) -> Array:
    """The windows that share a side out, as a matrix of averages (windows, side)."""
    place = np.arange(spans[-1][1])
    rows = [((place >= start) & (place < stop)) / (stop - start) for start, stop in spans]
    return jnp.asarray(np.stack(rows), dtype)


def _windows(geometry: Geometry) -> tuple[tuple[int, int], tuple[int, int], Pads]:
    """(size, stride, padding before and after each side); windows that hang over the far border find padding there."""
    wiring: Pool = geometry.wiring
    size, stride = wiring.window(geometry.lower)
    sides = zip(geometry.lower[1:], geometry.upper[1:], size, stride, wiring.padding, strict=True)
    return size, stride, [(pad, max(pad, (n - 1) * step + wide - side - pad)) for side, n, wide, step, pad in sides]


# ---- the way back from a maximum


def max_back(geometry: Geometry, upper: Array, lower: Array) -> Array:
    """Every upper neuron's signal at the first of its maxima in row-major order.

    Taps are compared with each other and not with the maximum: XLA may compute an activity anew in each place where it
    is read, and rounded otherwise, so that no tap would equal the maximum.
    """
    size, stride, pads = _windows(geometry)
    if size == geometry.lower[1:] and geometry.upper[1:] == (1, 1) and not any(map(any, pads)):
        return _whole_back(geometry, upper, lower)
    padded = jnp.pad(lower, [(0, 0), (0, 0), *pads], constant_values=-np.inf)
    reaches = [_reach(padded.shape, tap, stride, geometry.upper[1:]) for tap in np.ndindex(size)]
    best, winner = lax.slice(padded, *reaches[0]), jnp.zeros(upper.shape, "int32")
    for number, reach in enumerate(reaches[1:], start=1):
        seen = lax.slice(padded, *reach)
        winner = jnp.where(seen > best, number, winner)
        best = jnp.maximum(seen, best)
    back, zero = jnp.zeros_like(padded), np.array(0, upper.dtype)
    for number, (first, stop, strides) in enumerate(reaches):
        around = [(a, n - b, s - 1) for a, b, n, s in zip(first, stop, padded.shape, strides, strict=True)]
        back += lax.pad(jnp.where(winner == number, upper, 0), zero, around)
    return back[:, :, *(slice(low, n - high) for (low, high), n in zip(pads, padded.shape[2:], strict=True))]


def _reach(
    padded: tuple[int, ...], tap: tuple[int, ...], stride: tuple[int, int], positions: tuple[int, ...]
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """(start, stop, stride) of what one tap of a window reads of the padded map as the window takes all positions."""
    stop = [start + step * (n - 1) + 1 for start, step, n in zip(tap, stride, positions, strict=True)]
    return (0, 0, *tap), (*padded[:2], *stop), (1, 1, *stride)


def _whole_back(geometry: Geometry, upper: Array, lower: Array) -> Array:
    """The same where the window is the whole map, and its taps are too many to be gone through one by one."""
    row = lower.reshape(*lower.shape[:2], -1)
    wins = jax.nn.one_hot(jnp.argmax(row, axis=2), row.shape[2], dtype=upper.dtype)
    return (wins * upper.reshape(*upper.shape[:2], 1)).reshape(len(lower), *geometry.lower)


# ---- the operations


def project(value: Value, pre: Array, *weight: Array) -> Array:
    geometry: Geometry = value["geometry"]
    return CURRENTS[geometry.wiring.kind](geometry, pre, *weight)


def project_back(value: Value, upper: Array, *others: Array) -> Array:
    """`others`: the weight, or what a maximum was taken of."""
    geometry: Geometry = value["geometry"]
    if isinstance(geometry.wiring, Pool) and geometry.wiring.over == "max":
        return max_back(geometry, upper, *others)
    return _adjoint(lambda pre: project(value, pre, *others), (len(upper), *geometry.lower), upper)


def correlate(value: Value, lower: Array, upper: Array) -> Array:
    geometry: Geometry = value["geometry"]
    assert geometry.weight_shape is not None
    return _adjoint(lambda weight: project(value, lower, weight), geometry.weight_shape, upper) / len(lower)


def _adjoint(linear: Callable[[Array], Array], shape: tuple[int, ...], signal: Array) -> Array:
    """The adjoint of a linear function of an array of that shape, applied to a signal."""
    (found,) = jax.linear_transpose(linear, jax.ShapeDtypeStruct(shape, signal.dtype))(signal)
    return found


def per_tap(value: Value, x: Array) -> Array:
    geometry: Geometry = value["geometry"]
    counts = np.asarray(geometry.positions if geometry.tap_counts is None else geometry.tap_counts)
    divisor = np.maximum(counts, 1) if value["kind"] == "mean" else 1.0
    return x * jnp.asarray((counts > 0) / divisor, x.dtype)


WIRINGS = frozenset(CURRENTS)
OPERATIONS: Mapping[str, Callable[..., Array]] = MappingProxyType(
    {"project": project, "project_back": project_back, "correlate": correlate, "per_tap": per_tap}
)
