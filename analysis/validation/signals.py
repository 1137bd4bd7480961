"""/signals: the probe, and what populations did with it."""

from .. import contents
from ..recorded import RecordedSignal
from .attributes import SIGNAL, words
from .inspection import INDEX, Inspection, axis_names

AXES = {1: ("channel",), 3: ("channel", "row", "column")}
PROBE = ("sample", "label")
QUANTITIES = ("rate", "delta")


def check_signals(file: Inspection) -> None:
    """Table 3, the probe, and the shapes, axes and rows of every population. In version 1 there were none."""
    if file.version == 1:
        return
    members = file.members("signals", reserved=(*INDEX, *PROBE))
    if not members:
        return
    samples = _check_probe(file)
    positions = dict[str, int]()
    for name in members:
        file.shared("signals", "signals", name, names=(*INDEX, *_coordinates(file)))
        _check_attributes(file, name)
        found = file.notes.attempt(contents.signal, file.store, name)
        if found is not None:
            positions[name] = found.position
            _check_population(file, found, samples)
    file.ranks(positions, "signals")


def _check_probe(file: Inspection) -> int | None:
    """The number of samples, where it can be told."""
    sample = file.notes.attempt(file.store.column, "signals", "sample", dtype="<i8")
    if sample is None:
        return None
    if "label" in _coordinates(file):
        label = file.notes.attempt(file.store.column, "signals", "label", dtype="<i8")
        if label is not None:
            file.axes(("signals", "label"), [("signals", "sample")])
            if len(label) != len(sample):
                file.notes.add(f"must be as many as the {len(sample)} samples (got {len(label)})", "signals", "label")
    return len(sample)


def _check_attributes(file: Inspection, name: str) -> None:
    """Table 3, and that rate and delta say the same."""
    table = SIGNAL | {"coordinates": words(" ".join(["epoch", *_coordinates(file)[1:]]))}
    places = [("signals", name, quantity) for quantity in QUANTITIES if file.store.has("signals", name, quantity)]
    said = [file.attributes(place, table) for place in places]
    for attribute in ("partner", "position"):
        if len({one[attribute] for one in said if attribute in one}) > 1:
            file.notes.add(f"rate and delta must have one {attribute}", "signals", name)


def _check_population(file: Inspection, found: RecordedSignal, samples: int | None) -> None:
    name = found.population
    own = file.counted(("signals", name), axis_names(AXES, len(found.shape)), found.shape)
    for quantity in found.quantities:
        place = "signals", name, quantity
        shape = file.store.dataset(*place).shape
        if samples is not None and shape[1] != samples:
            file.notes.add(f"must hold {samples} samples (got {shape[1]})", *place)
        file.axes(place, [("signals", "step"), ("signals", "sample"), *own])
        file.stored(place, "signals")


def _coordinates(file: Inspection) -> tuple[str, ...]:
    return PROBE if file.store.has("signals", "label") else PROBE[:1]
