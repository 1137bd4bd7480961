"""Wirings as what they are, lists of synapses, and all that follows from them by finite loops over these lists."""

from collections.abc import Callable, Iterator
from math import prod

import numpy as np
from numpy.typing import NDArray

from ...circuits.wiring import Conv, Dense, Geometry

Array = NDArray[np.float64]
Index = tuple[int, ...]
Synapse = tuple[Index, Index, Index]  # (weight, lower neuron, upper neuron)


def synapses(geometry: Geometry) -> Iterator[Synapse]:
    """Every synapse of a dense or conv wiring. What would start in the padding does not exist."""
    match geometry.wiring:
        case Dense(shared=shared):
            yield from _dense(geometry, shared)
        case Conv() as conv:
            yield from _conv(geometry, conv)


def _dense(geometry: Geometry, shared: bool) -> Iterator[Synapse]:
    for upper in np.ndindex(*geometry.upper):
        row = upper[0] if shared else int(np.ravel_multi_index(upper, geometry.upper))
        for column in range(prod(geometry.lower)):
            yield (row, column), tuple(map(int, np.unravel_index(column, geometry.lower))), upper


def _conv(geometry: Geometry, conv: Conv) -> Iterator[Synapse]:
    channels_in, high, wide = geometry.lower
    each, group_in = geometry.upper[0] // conv.groups, channels_in // conv.groups
    for out, y, x in np.ndindex(*geometry.upper):
        for i, ky, kx in np.ndindex(group_in, *conv.kernel):
            row = y * conv.stride[0] - conv.pads[0] + ky * conv.dilation[0]
            column = x * conv.stride[1] - conv.pads[1] + kx * conv.dilation[1]
            if 0 <= row < high and 0 <= column < wide:
                yield (out, i, ky, kx), (out // each * group_in + i, row, column), (out, y, x)


def every(neuron: Index) -> tuple[slice | int, ...]:
    """A neuron's place in arrays of its population: all samples of it."""
    return (slice(None), *neuron)


def current(geometry: Geometry, weight: Array, lower: Array) -> Array:
    """What a forward projection causes above."""
    caused = np.zeros((len(lower), *geometry.upper))
    for w, low, up in synapses(geometry):
        caused[every(up)] += weight[w] * lower[every(low)]
    return caused


def current_back(geometry: Geometry, weight: Array, upper: Array) -> Array:
    """What its reverse causes below."""
    caused = np.zeros((len(upper), *geometry.lower))
    for w, low, up in synapses(geometry):
        caused[every(low)] += weight[w] * upper[every(up)]
    return caused


def counts(geometry: Geometry) -> NDArray[np.int64]:
    """How many synapses share each weight."""
    assert geometry.weight_shape is not None
    counted = np.zeros(geometry.weight_shape, dtype=np.int64)
    for w, _, _ in synapses(geometry):
        counted[w] += 1
    return counted


def drive(
    geometry: Geometry, of_synapse: Callable[[Index, Index, Index], Array | float], positions: str = "sum"
) -> Array:
    """dw: the mean over the batch of the sum, or the mean, over the synapses that share a weight.

    `of_synapse(weight, lower, upper)` is a synapse's own drive, one number a sample or one for all.
    """
    assert geometry.weight_shape is not None
    total = np.zeros(geometry.weight_shape)
    for w, low, up in synapses(geometry):
        total[w] += np.mean(of_synapse(w, low, up))
    return total / np.maximum(counts(geometry), 1) if positions == "mean" else total
