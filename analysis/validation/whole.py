"""The whole of a recording, in the order of docs/hdf5-format.md."""

from os import PathLike

from .. import contents
from ..store import Store
from .alignment import check_alignment
from .header import check_header
from .inspection import Inspection
from .metrics import check_metrics
from .notes import Problem
from .signals import check_signals
from .synapses import check_synapses

GROUPS = ("synapses", "signals", "alignment", "metrics")
GROUPS_OF_VERSION_1 = ("synapses", "metrics")


def validate(path: str | PathLike[str]) -> list[Problem]:
    """Every place at which a file is not what its format version promises; empty for a valid recording.

    Structure, types, attributes, axes, indexes, and that every confirmed row is stored whole within the file. Arrays
    behind filters are unpacked, a chunk at a time; of other arrays no value is read. What the format does not know
    is ignored. AnalysisError if the file is no recording at all, or newer.
    """
    store = Store.open(path)
    try:
        file = Inspection(store, contents.version(store))
        check_header(file)
        for group in GROUPS if file.version > 1 else GROUPS_OF_VERSION_1:
            file.index(group)
        for check in (check_synapses, check_signals, check_alignment, check_metrics):
            file.notes.attempt(check, file)
        return file.notes.problems
    finally:
        store.close()
