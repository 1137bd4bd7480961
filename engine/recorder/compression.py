"""The filters that arrays are stored through. None by default: every reader opens that, and nothing writes faster."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any, Literal, get_args

from ...circuits.errors import suggest
from .errors import RecordingError
from .precision import PRECISIONS

Compression = Literal["none", "gzip", "lzf", "blosc2"]
COMPRESSIONS: tuple[str, ...] = get_args(Compression)


def filters(compression: Compression) -> dict[str, Any]:
    """What h5py's `create_dataset` takes for it. RecordingError for a name that is none, or whose plugin is missing."""
    if compression not in COMPRESSIONS:
        raise RecordingError(f"compression {compression!r}: {suggest(compression, COMPRESSIONS, 'compressions')}")
    match compression:
        case "none":
            return {}
        case "blosc2":
            return dict(_plugin().Blosc2(cname="zstd", clevel=5, filters=_plugin().Blosc2.SHUFFLE))
        case _:
            return {"compression": compression, "shuffle": True}


def form_problems(precision: str, compression: Any) -> Iterator[str]:
    """What keeps arrays from being stored in this form, if anything."""
    if precision not in PRECISIONS:
        yield f"precision {precision!r}: {suggest(precision, PRECISIONS, 'precisions')}"
    try:
        filters(compression)
    except RecordingError as error:
        yield str(error)


def _plugin() -> Any:
    """hdf5plugin, whose import tells the HDF5 library of its filters."""
    try:
        return import_module("hdf5plugin")
    except ImportError as error:
        raise RecordingError(
            "compression 'blosc2' needs the package hdf5plugin, which is not installed. Install it "
            "(pip install hdf5plugin), or choose one of none, gzip, lzf"
        ) from error
