"""The file before its first record: groups, attributes and empty datasets, as docs/hdf5-format.md says."""

import os
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import h5py
import numpy as np

from .about import About
from .alignment import Alignment
from .datasets import make_index
from .errors import RecordingError, reason
from .metrics import Metrics
from .recordable import Recordable
from .signals import Signals
from .synapses import Weights

MAGIC = "counterstream"
FORMAT_VERSION = 2
TEXT = h5py.string_dtype("utf-8")
NOTHING: tuple[Recordable, ...] = (Weights(()), Signals(()), Alignment(), Metrics())
"""All groups, in the order of the file, with nothing in them: what stands for those of which nothing is recorded."""


def create(path: Path, about: About, recordables: Iterable[Recordable], *, overwrite: bool) -> None:
    """Writes the empty file beside `path` and renames it there, so that `path` never holds half a file."""
    if path.exists() and not overwrite:
        raise RecordingError(f"{path}: the file exists. Choose another path, or allow overwriting (--overwrite)")
    partial = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(_image(about, recordables))
        os.replace(partial, path)
    except OSError as error:
        raise RecordingError(f"{path}: the recording cannot be created: {reason(error)}") from error
    finally:
        with suppress(OSError):  # gone after the renaming, or never made
            partial.unlink()


def _image(about: About, recordables: Iterable[Recordable]) -> bytes:
    """The bytes of the empty file, which are few. Made in memory, since HDF5 cannot let go of a file on a full disk.

    The default libver: a file of a later one cannot be opened after a kill.
    """
    with h5py.File.in_memory() as file:
        lay_out(file, about, recordables)
        file.flush()
        image: bytes = file.id.get_file_image()
        return image


def lay_out(file: h5py.File, about: About, recordables: Iterable[Recordable]) -> None:
    """Makes everything that stands in a file before its first record."""
    _describe(file, about)
    chosen = {nothing.group: nothing for nothing in NOTHING} | {one.group: one for one in recordables}
    for name, recordable in chosen.items():
        group = file.create_group(name)
        make_index(group)
        recordable.lay(group)


def _describe(file: h5py.File, about: About) -> None:
    file.attrs["magic"] = MAGIC
    file.attrs["format_version"] = np.int64(FORMAT_VERSION)
    file.attrs["created"] = datetime.now(UTC).isoformat(timespec="seconds")
    file.attrs["circuit_name"] = about.circuit_name
    file.attrs["learning"] = about.learning
    file.attrs["transports_weights"] = np.uint8(about.transports_weights)
    file.attrs["seed"] = np.int64(about.seed)
    file.attrs["package_version"] = about.package_version
    file.attrs["git_commit"] = about.git.commit
    file.attrs["git_dirty"] = np.uint8(about.git.dirty)
    file.attrs["resumptions"] = np.int64(0)
    file.attrs["status"] = "running"
    file.attrs["message"] = ""
    # Datasets, since an attribute of an object header is bounded by 64 KB.
    file.create_dataset("circuit", data=about.circuit, dtype=TEXT)
    file.create_dataset("experiment", data=about.experiment, dtype=TEXT)
    environment = file.create_group("environment")
    for name, value in about.environment.items():
        environment.attrs[name] = str(value)
    file.create_group("results")
