"""Does a file keep what docs/hdf5-format.md promises? One file a group of the format; see `whole.py`."""

from .notes import Problem
from .whole import validate

__all__ = ["Problem", "validate"]
