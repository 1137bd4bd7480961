"""The datasets that recordings are made of: indexes, columns of numbers, arrays by chunks, and their labelled axes."""

import math
from collections.abc import Sequence
from typing import Any

import h5py
import numpy as np

from .compression import Compression, filters
from .precision import Precision, missing, storage_dtype

UNCONFIRMED = -1  # an index row's `step` until its record is complete on disk

CHUNK_BYTES = 1 << 20  # h5py's own choice of chunks writes at a quarter of the speed
INDEX_ROWS = 512


def make_index(group: h5py.Group) -> None:
    """The two coordinates of a group's records; `step` is the dimension scale, `epoch` lies along it."""
    step = group.create_dataset(
        "step", shape=(0,), maxshape=(None,), dtype="<i8", chunks=(INDEX_ROWS,), fillvalue=UNCONFIRMED
    )
    step.make_scale("step")
    step.attrs["long_name"] = "training steps taken"
    epoch = make_column(group, "epoch", step)
    epoch.attrs["long_name"] = "epochs of training data seen"


def share(group: h5py.Group, owner: h5py.Group, *names: str) -> None:
    """Hard links, so that every group shows its coordinates by itself: xarray opens one group at a time."""
    for name in ("step", "epoch", *names):
        group[name] = owner[name]


def make_column(group: h5py.Group, name: str, step: h5py.Dataset) -> h5py.Dataset:
    """A float64 column along `step`, NaN where nothing was written."""
    column = group.create_dataset(
        name, shape=(0,), maxshape=(None,), dtype="<f8", chunks=(INDEX_ROWS,), fillvalue=np.nan
    )
    column.dims[0].attach_scale(step)
    return column


def make_array(
    group: h5py.Group,
    name: str,
    axes: Sequence[h5py.Dataset],
    *,
    precision: Precision,
    compression: Compression,
    attributes: dict[str, Any],
) -> h5py.Dataset:
    """An array a record; `axes` are the dimension scales of one, behind that of the records themselves."""
    shape = tuple(len(axis) for axis in axes)
    dtype = storage_dtype(precision)
    dataset = group.create_dataset(
        name,
        shape=(0, *shape),
        maxshape=(None, *shape),
        dtype=dtype,
        chunks=chunk_shape(shape, dtype.itemsize),
        fillvalue=missing(precision),
        **filters(compression),
    )
    for position, scale in enumerate((group["step"], *axes)):
        dataset.dims[position].attach_scale(scale)
    dataset.attrs["precision"] = precision
    for key, value in attributes.items():
        dataset.attrs[key] = value
    return dataset


def make_axis(group: h5py.Group, name: str, size: int) -> h5py.Dataset:
    """A dimension scale 0, 1, 2, ...; the one that is there already where two arrays share it."""
    if name in group:
        return group[name]
    scale = group.create_dataset(name, data=np.arange(size, dtype="<i4"))
    scale.make_scale(name)
    return scale


def make_axes(group: h5py.Group, known: dict[int, tuple[str, ...]], shape: Sequence[int]) -> list[h5py.Dataset]:
    """Scales for the axes of `shape`, named by rank where the rank is `known`, else axis0, axis1, ..."""
    names = known.get(len(shape)) or tuple(f"axis{axis}" for axis in range(len(shape)))
    return [make_axis(group, name, size) for name, size in zip(names, shape, strict=True)]


def chunk_shape(shape: Sequence[int], itemsize: int) -> tuple[int, ...]:
    """One record deep and at most about 1 MB, cut along the leading axes; whole inner axes stay together.

    One deep, because a new record then never rewrites a chunk that holds a confirmed one.
    """
    chunk = list(shape)
    for axis, size in enumerate(shape):
        inner = math.prod(chunk[axis + 1 :]) * itemsize
        cuts = math.ceil(size / max(1, CHUNK_BYTES // inner))
        chunk[axis] = math.ceil(size / cuts)  # equal pieces: the last chunk is stored whole, however little it holds
        if inner <= CHUNK_BYTES:
            break
    return (1, *chunk)
