"""The file before its first record: groups, attributes and empty datasets, as docs/hdf5-format.md says."""

import math
import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import h5py
import numpy as np

from .errors import RecordingError
from .precision import Precision, missing, storage_dtype
from .schema import Schema, Synapse

MAGIC = "counterstream"
FORMAT_VERSION = 1
UNCONFIRMED = -1  # an index row's `step` until its record is complete on disk

CHUNK_BYTES = 1 << 20  # h5py's own choice of chunks writes at a quarter of the speed
INDEX_ROWS = 512
AXES = {2: ("out", "in"), 4: ("out", "in", "kernel_row", "kernel_column")}
TEXT = h5py.string_dtype("utf-8")


def create(path: Path, schema: Schema, *, overwrite: bool, precision: Precision, compression: str | None) -> None:
    """Writes the empty file beside `path` and renames it there, so that `path` never holds half a file."""
    if path.exists() and not overwrite:
        raise RecordingError(f"{path}: the file exists. Choose another path, or allow overwriting (--overwrite)")
    partial = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with h5py.File(partial, "w") as file:  # default libver: a later one cannot be opened after a kill
            _describe(file, schema)
            _synapses(file, schema.synapses, precision, compression)
            _signals(file, schema.populations)
            _metrics(file, schema.metrics)
        os.replace(partial, path)
    except OSError as error:
        raise RecordingError(f"{path}: the recording cannot be created: {error}") from error
    finally:
        with suppress(OSError):  # gone after the renaming, or never made
            partial.unlink()


def axis_names(shape: Sequence[int]) -> tuple[str, ...]:
    """The dimension names of a weight array."""
    return AXES.get(len(shape)) or tuple(f"axis{axis}" for axis in range(len(shape)))


def chunk_shape(shape: Sequence[int], itemsize: int) -> tuple[int, ...]:
    """One snapshot deep and at most about 1 MB, cut along the leading axes; whole inner axes stay together.

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


def _describe(file: h5py.File, schema: Schema) -> None:
    file.attrs["magic"] = MAGIC
    file.attrs["format_version"] = np.int64(FORMAT_VERSION)
    file.attrs["created"] = datetime.now(UTC).isoformat(timespec="seconds")
    file.attrs["circuit_name"] = schema.circuit_name
    file.attrs["learning"] = schema.learning
    file.attrs["transports_weights"] = np.uint8(schema.transports_weights)
    file.attrs["seed"] = np.int64(schema.seed)
    file.attrs["status"] = "running"
    file.attrs["message"] = ""
    # Datasets, since an attribute of an object header is bounded by 64 KB.
    file.create_dataset("circuit", data=schema.circuit, dtype=TEXT)
    file.create_dataset("experiment", data=schema.experiment, dtype=TEXT)
    environment = file.create_group("environment")
    for name, value in schema.environment.items():
        environment.attrs[name] = str(value)
    file.create_group("results")


def _index(group: h5py.Group) -> None:
    """The two coordinates of a group's records; `step` is the dimension scale, `epoch` lies along it."""
    step = group.create_dataset(
        "step", shape=(0,), maxshape=(None,), dtype="<i8", chunks=(INDEX_ROWS,), fillvalue=UNCONFIRMED
    )
    step.make_scale("step")
    step.attrs["long_name"] = "training steps taken"
    epoch = _column(group, "epoch", step)
    epoch.attrs["long_name"] = "epochs of training data seen"


def _column(group: h5py.Group, name: str, step: h5py.Dataset) -> h5py.Dataset:
    """A float64 column along `step`, NaN where nothing was written."""
    column = group.create_dataset(
        name, shape=(0,), maxshape=(None,), dtype="<f8", chunks=(INDEX_ROWS,), fillvalue=np.nan
    )
    column.dims[0].attach_scale(step)
    return column


def _share_index(group: h5py.Group, owner: h5py.Group) -> None:
    """Hard links, so that every group shows its coordinates by itself: xarray opens one group at a time."""
    for name in ("step", "epoch"):
        group[name] = owner[name]


def _synapses(file: h5py.File, synapses: Sequence[Synapse], precision: Precision, compression: str | None) -> None:
    root = file.create_group("synapses")
    _index(root)
    for position, synapse in enumerate(synapses):
        group = root.create_group(synapse.projection)
        _share_index(group, root)
        weights = _weights(group, synapse, precision, compression)
        weights.attrs["position"] = np.int64(position)


def _weights(group: h5py.Group, synapse: Synapse, precision: Precision, compression: str | None) -> h5py.Dataset:
    shape = tuple(synapse.shape)
    dtype = storage_dtype(precision)
    weights = group.create_dataset(
        "weights",
        shape=(0, *shape),
        maxshape=(None, *shape),
        dtype=dtype,
        chunks=chunk_shape(shape, dtype.itemsize),
        compression=compression,
        shuffle=compression is not None,
        fillvalue=missing(precision),
    )
    for name in ("source", "target", "role", "wiring"):
        weights.attrs[name] = getattr(synapse, name)
    for name in ("reverse_of", "tie"):
        weights.attrs[name] = getattr(synapse, name) or ""
    weights.attrs["precision"] = precision
    weights.attrs["coordinates"] = "epoch"
    for mode, equation in synapse.rules.items():
        weights.attrs[f"rule_{mode}"] = equation
    axes = [
        group["step"],
        *(_axis(group, name, size) for name, size in zip(axis_names(shape), shape, strict=True)),
    ]
    for axis, scale in enumerate(axes):
        weights.dims[axis].attach_scale(scale)
    if synapse.unseen is not None and synapse.unseen.any():
        mask = np.broadcast_to(synapse.unseen, shape).astype(np.uint8)
        unseen = group.create_dataset("unseen", data=mask, chunks=chunk_shape(shape, 1)[1:], compression="gzip")
        for axis, scale in enumerate(axes[1:]):
            unseen.dims[axis].attach_scale(scale)
    return weights


def _axis(group: h5py.Group, name: str, size: int) -> h5py.Dataset:
    scale = group.create_dataset(name, data=np.arange(size, dtype="<i4"))
    scale.make_scale(name)
    return scale


def _signals(file: h5py.File, populations: Sequence[str]) -> None:
    root = file.create_group("signals")
    _share_index(root, file["synapses"])
    for position, population in enumerate(populations):
        group = root.create_group(population)
        _share_index(group, root)
        angle = _column(group, "delta_angle", root["step"])
        angle.attrs["units"] = "degree"
        angle.attrs["position"] = np.int64(position)
        angle.attrs["coordinates"] = "epoch"


def _metrics(file: h5py.File, metrics: Sequence[str]) -> None:
    root = file.create_group("metrics")
    _index(root)
    for position, name in enumerate(metrics):
        column = _column(root, name, root["step"])
        column.attrs["position"] = np.int64(position)
        column.attrs["coordinates"] = "epoch"
