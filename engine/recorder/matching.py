"""Whether a file is of the run that wants to go on in it: same circuit, same system, same seed, same datasets."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import h5py
import numpy as np

from .about import About
from .errors import RecordingError, reason
from .layout import FORMAT_VERSION, MAGIC, NOTHING, lay_out
from .recordable import RESERVED, Recordable

SAME = ("circuit_name", "learning", "seed", "transports_weights")
LISTED = 5  # differences in a message


def check_same_run(path: Path, about: About, recordables: Iterable[Recordable]) -> None:
    """Raises RecordingError, with what differs, unless the file at `path` can take further records of this run.

    What the run should be is laid out in memory and compared with what is there. Filters may differ: those of the file
    stay.
    """
    try:
        with h5py.File(path, "r", locking="best-effort") as found, h5py.File.in_memory() as expected:
            _check_version(path, found)
            lay_out(expected, about, recordables)
            differences = list(_differences(expected, found))
    except (OSError, KeyError) as error:
        raise RecordingError(f"{path}: the recording cannot be opened to be taken up again: {reason(error)}") from error
    if differences:
        more = f"\n... and {len(differences) - LISTED} more" if len(differences) > LISTED else ""
        raise RecordingError(
            f"{path}: the file holds another run and is left as it is. Choose another path, or resume what it holds:\n"
            + "\n".join(differences[:LISTED])
            + more
        )


def _check_version(path: Path, found: h5py.File) -> None:
    if found.attrs.get("magic") != MAGIC:
        raise RecordingError(f"{path}: an HDF5 file, but no recording of Counterstream. Choose another path")
    version = int(found.attrs.get("format_version", 0))
    if version != FORMAT_VERSION:
        raise RecordingError(
            f"{path}: format_version must be {FORMAT_VERSION} to be appended to (got {version}). Record anew"
        )


def _differences(expected: h5py.File, found: h5py.File) -> Iterator[str]:
    for name in SAME:
        yield from _same(f"{name}", expected.attrs[name], found.attrs.get(name))
    if expected["circuit"][()] != found["circuit"][()]:
        yield "circuit: the explicit circuit must be the same"
    for nothing in NOTHING:
        yield from _of_group(f"/{nothing.group}", expected[nothing.group], found[nothing.group])


def _of_group(path: str, expected: h5py.Group, found: h5py.Group) -> Iterator[str]:
    for name in expected.keys() - found.keys():
        yield f"{path}/{name}: must be there (the file lacks it)"
    for name in found.keys() - expected.keys():
        yield f"{path}/{name}: must not be there (the file records it)"
    for name in sorted(expected.keys() & found.keys()):
        place, one, other = f"{path}/{name}", expected[name], found[name]
        if isinstance(one, h5py.Group) != isinstance(other, h5py.Group):
            yield f"{place}: must be a {'group' if isinstance(one, h5py.Group) else 'dataset'}"
        elif isinstance(one, h5py.Group):
            yield from _of_group(place, one, other)
        elif name not in RESERVED:
            yield from _of_dataset(place, one, other)


def _of_dataset(place: str, expected: h5py.Dataset, found: h5py.Dataset) -> Iterator[str]:
    yield from _same(f"{place}: shape", expected.maxshape, found.maxshape)
    yield from _same(f"{place}: dtype", expected.dtype, found.dtype)
    is_fixed = expected.maxshape == found.maxshape and None not in expected.maxshape
    if is_fixed and not np.array_equal(expected[()], found[()]):
        yield f"{place}: its numbers must be the same"
    for name in expected.attrs:
        if not name.isupper():  # those are HDF5's own, of dimension scales
            yield from _same(f"{place}: {name}", expected.attrs[name], found.attrs.get(name))


def _same(what: str, expected: object, found: object) -> Iterator[str]:
    if expected != found:
        yield f"{what} must be {expected} (got {found})"
