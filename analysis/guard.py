"""What a file may not do to its reader: every object is judged by its header before a byte of its data is read.

A recording may come from a stranger, a broken disk or a killed process. HDF5 itself would follow links into
other files, read "external storage" from any path, collect virtual datasets from several files, and allocate
whatever size a header claims. None of that is part of the format (docs/hdf5-format.md), so all of it is refused.
"""

import math
from collections.abc import Iterable
from typing import Any

import h5py
import numpy as np

from .errors import Damage

LARGEST_CHUNK = 1 << 24  # bytes; the format's chunks hold at most 1 MB
LARGEST_TEXT = 1 << 26  # bytes
LINKS = {h5py.h5l.TYPE_SOFT: "a soft link", h5py.h5l.TYPE_EXTERNAL: "an external link to another file"}
FILTERS = {1: "gzip", 2: "shuffle", 3: "fletcher32", 4: "szip", 32000: "lzf", 32001: "blosc", 32026: "blosc2"}
# What h5py and HDF5 raise for files whose contents contradict themselves.
DAMAGE = (
    OSError, LookupError, ValueError, TypeError, RuntimeError, ArithmeticError, AttributeError, MemoryError, SystemError
)  # fmt: skip


def names(items: Iterable[str | bytes]) -> list[str]:
    """The names of links or attributes; Damage where one is no UTF-8, which h5py gives as bytes."""
    found = list(items)
    for name in found:
        if isinstance(name, bytes):
            raise Damage(f"names must be UTF-8 (got {name!r})")
    return [name for name in found if isinstance(name, str)]


def child(group: h5py.Group, name: str) -> h5py.Group | h5py.Dataset:
    """The object behind a hard link of a group; Damage for anything else, which is not followed."""
    encoded = name.encode("utf-8", "surrogateescape")
    if not group.id.links.exists(encoded):
        raise Damage("it lacks this")
    kind = group.id.links.get_info(encoded).type
    if kind != h5py.h5l.TYPE_HARD:
        raise Damage(f"must be stored in the file itself (got {LINKS.get(kind, 'a link of unknown kind')})")
    item = h5py.h5o.open(group.id, encoded)
    if isinstance(item, h5py.h5g.GroupID):
        return h5py.Group(item)
    if not isinstance(item, h5py.h5d.DatasetID):
        raise Damage("must be a group or a dataset (got a named type)")
    dataset = h5py.Dataset(item)
    check_dataset(dataset)
    return dataset


def check_dataset(dataset: h5py.Dataset) -> None:
    """Damage unless the values stand in this file, in chunks of bounded size, behind filters that are here."""
    plist = dataset.id.get_create_plist()  # read from the header; neither shape nor data are touched before
    layout = plist.get_layout()
    if layout == h5py.h5d.VIRTUAL:
        raise Damage("must be stored in the file itself (got a virtual dataset)")
    if plist.get_external_count():
        raise Damage("must be stored in the file itself (got external storage in another file)")
    if layout == h5py.h5d.CHUNKED:
        size = math.prod(plist.get_chunk()) * dataset.id.get_type().get_size()
        if size > LARGEST_CHUNK:
            raise Damage(f"chunks must hold at most {LARGEST_CHUNK} bytes (got {size})")
    for index in range(plist.get_nfilters()):
        _check_filter(plist.get_filter(index)[0])


def _check_filter(code: int) -> None:
    if h5py.h5z.filter_avail(code):
        return
    name = f"{code} ({FILTERS[code]})" if code in FILTERS else str(code)
    raise Damage(
        f"its filter must be known to HDF5 here (got {name}). For blosc2 and others: pip install hdf5plugin, and "
        "import hdf5plugin before opening"
    )


def check_stored(dataset: h5py.Dataset, rows: int | None = None) -> None:
    """Damage unless the file has storage for the dataset, or for its first `rows` rows.

    A header may claim 10^15 rows that nobody wrote: reading them would allocate as much, of fill values.
    """
    shape = dataset.shape
    if shape is None:
        raise Damage("must be an array (got an empty dataspace)")
    if rows is not None:
        if not shape or shape[0] < rows:
            raise Damage(f"must hold the {rows} confirmed rows (got shape {shape})")
        shape = (rows, *shape[1:])
    if not math.prod(shape):
        return
    if dataset.chunks:
        needed = math.prod(-(-size // chunk) for size, chunk in zip(shape, dataset.chunks, strict=True))
        stored = dataset.id.get_num_chunks()
    else:
        needed, stored = math.prod(shape) * dataset.id.get_type().get_size(), dataset.id.get_storage_size()
    if stored < needed:
        unit = "chunks" if dataset.chunks else "bytes"
        raise Damage(f"shape {shape} must be stored in {needed} {unit} (got {stored})")


def check_type(dataset: h5py.Dataset, *wanted: str) -> None:
    """Damage unless the values are of one of these types, such as "<f8"."""
    found = dtype_text(dataset)
    if found not in wanted:
        raise Damage(f"values must be {' or '.join(_spelled(w) for w in wanted)} (got {_spelled(found)})")


def dtype_text(dataset: h5py.Dataset) -> str:
    """The type of a dataset's values as NumPy writes it; what NumPy cannot hold by HDF5's class."""
    kind = dataset.id.get_type()
    if kind.get_class() in (h5py.h5t.INTEGER, h5py.h5t.FLOAT):
        try:
            return str(kind.dtype.str)
        except (TypeError, ValueError):  # integers of 3 bytes and their like
            return f"{kind.get_size()}-byte number"
    return CLASSES.get(kind.get_class(), "an unknown class")


CLASSES = {
    h5py.h5t.STRING: "text",
    h5py.h5t.BITFIELD: "a bit field",
    h5py.h5t.OPAQUE: "opaque bytes",
    h5py.h5t.COMPOUND: "a compound",
    h5py.h5t.REFERENCE: "an object reference",
    h5py.h5t.ENUM: "an enumeration",
    h5py.h5t.VLEN: "a sequence of varying length",
    h5py.h5t.ARRAY: "an array",
}
NUMBERS = {
    "<f8": "float64", "<f4": "float32", "<f2": "float16", "<u2": "uint16", "<i8": "int64", "<i4": "int32",
    "|u1": "uint8",
}  # fmt: skip


def _spelled(dtype: str) -> str:
    return NUMBERS.get(dtype, dtype)


def attribute(item: h5py.Group | h5py.Dataset, name: str) -> Any:
    """One attribute as a plain Python number or text; Damage if it is neither, or huge."""
    opened = h5py.h5a.open(item.id, name.encode("utf-8", "surrogateescape"))
    kind, space = opened.get_type(), opened.get_space()
    if kind.get_class() not in (h5py.h5t.INTEGER, h5py.h5t.FLOAT, h5py.h5t.STRING):
        raise Damage(
            f"attribute '{name}' must be text or a number (got {CLASSES.get(kind.get_class(), 'another class')})"
        )
    if space.get_simple_extent_npoints() != 1:
        raise Damage(f"attribute '{name}' must be one value (got {space.get_simple_extent_npoints()})")
    if kind.get_size() > LARGEST_TEXT:
        raise Damage(f"attribute '{name}' must hold at most {LARGEST_TEXT} bytes (got {kind.get_size()})")
    value = np.empty(space.shape, dtype=opened.dtype)
    opened.read(value)
    single = value.reshape(-1)[0]
    if isinstance(single, bytes):
        return single.decode("utf-8")
    return single.item() if isinstance(single, np.generic) else single


def text(dataset: h5py.Dataset) -> str:
    """The text of a scalar dataset; Damage if it holds none."""
    kind = dataset.id.get_type()
    if kind.get_class() != h5py.h5t.STRING or dataset.shape != ():
        raise Damage(f"must be one text (got {_spelled(dtype_text(dataset))} of shape {dataset.shape})")
    if kind.get_size() > LARGEST_TEXT:
        raise Damage(f"must hold at most {LARGEST_TEXT} bytes (got {kind.get_size()})")
    return str(dataset.asstr()[()])
