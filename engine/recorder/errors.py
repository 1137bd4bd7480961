"""What goes wrong between a run and its file."""

import os

from ...circuits.errors import CounterstreamError


class RecordingError(CounterstreamError):
    """A recording that cannot be started, or that broke off; what was confirmed before stays readable."""


def reason(cause: Exception) -> str:
    """Why a file could not be written or opened, in one line.

    HDF5 words a failure in three lines of addresses; the system's own word for it is what helps, where there is one.
    """
    if isinstance(cause, OSError) and cause.errno:
        return os.strerror(cause.errno)
    said = " ".join(str(cause).split())
    if "file locking flag values don't match" in said or "file is already open" in said:
        return "this process has it open already, for reading (a Run of it, or an h5py.File). Close that first"
    return said
