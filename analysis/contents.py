"""What the groups of a recording hold, from their headers: judged here, so that nobody downstream has to."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import partial
from typing import Any

import h5py
import numpy as np

from . import guard
from .errors import AnalysisError, Damage
from .recorded import PRECISIONS, Instants, RecordedSignal, RecordedSynapse
from .store import Store

MAGIC = "counterstream"
FORMAT_VERSION = 2  # the newest layout this reader knows; docs/hdf5-format.md
ATTRIBUTES = ("circuit_name", "learning", "transports_weights", "seed", "status", "message")
NOTHING = Instants(steps=np.empty(0, np.int64), epochs=np.empty(0))


def version(store: Store) -> int:
    """The version of the file's format; AnalysisError if it is no recording, or newer than this reader."""
    found = store.attributes()
    if found.get("magic") != MAGIC:
        raise AnalysisError(
            f"{store.path}: an HDF5 file, but no recording of Counterstream (attribute 'magic' must be {MAGIC!r})"
        )
    number = found.get("format_version")
    if not isinstance(number, int) or number < 1:
        raise store.damaged(f"attribute 'format_version' must be a positive integer (got {number!r})")
    if number > FORMAT_VERSION:
        raise AnalysisError(
            f"{store.path}: format_version must be at most {FORMAT_VERSION} (got {number}): "
            "a newer Counterstream wrote it. Update this one"
        )
    return number


def identity(store: Store) -> dict[str, Any]:
    """The attributes of the root, complete; `transports_weights` as bool."""
    attributes = store.attributes()
    missing = [name for name in ATTRIBUTES if name not in attributes]
    if missing:
        raise store.damaged(f"it lacks {', '.join(missing)} among its attributes")
    return attributes | {"transports_weights": bool(attributes["transports_weights"])}


def growing(store: Store) -> bool:
    """Whether another process may be writing the file; True where not even that can be read."""
    try:
        return store.attributes().get("status") == "running"
    except AnalysisError:
        return True


def instants(store: Store, group: str) -> Instants:
    """The confirmed records of a group with an index of its own."""
    steps = store.index(group, "step")
    return Instants(steps=steps, epochs=store.column(group, "epoch", rows=len(steps)))


def synapse(store: Store, name: str) -> RecordedSynapse:
    """What the file says about one projection's weights."""
    place = "synapses", name, "weights"
    dataset, text = store.dataset(*place), store.attributes(*place)
    precision = text.get("precision", "")
    shape = store.named(lambda: _check_array(dataset, precision), *place)
    return RecordedSynapse(
        projection=name,
        source=str(text.get("source", "")),
        target=str(text.get("target", "")),
        role=str(text.get("role", "")),
        reverse_of=text.get("reverse_of") or None,
        tie=text.get("tie") or None,
        rules={key.removeprefix("rule_"): str(value) for key, value in text.items() if key.startswith("rule_")},
        wiring=str(text.get("wiring", "")),
        shape=shape[1:],
        precision=precision,
        position=_rank(text, store, *place),
    )


def signal(store: Store, name: str) -> RecordedSignal:
    """What the file says about one population's rate and delta."""
    quantities = [quantity for quantity in ("rate", "delta") if store.has("signals", name, quantity)]
    if not quantities:
        raise store.damaged("must hold rate or delta (got neither)", "signals", name)
    shapes, text = set(), dict[str, Any]()
    for quantity in quantities:
        place = "signals", name, quantity
        dataset, text = store.dataset(*place), store.attributes(*place)
        shapes.add(store.named(partial(_check_array, dataset, text.get("precision", "")), *place)[1:])
    if len(shapes) > 1:
        raise store.damaged(f"rate and delta must have one shape (got {sorted(shapes)})", "signals", name)
    return RecordedSignal(
        population=name,
        partner=text.get("partner") or None,
        quantities=tuple(quantities),
        shape=shapes.pop()[1:],
        position=_rank(text, store, "signals", name),
    )


def _check_array(dataset: h5py.Dataset, precision: str) -> tuple[int, ...]:
    """The shape of recorded arrays; Damage unless they are numbers of the precision that they claim."""
    if precision not in PRECISIONS:
        raise Damage(f"attribute 'precision' must be one of {', '.join(PRECISIONS)} (got {precision!r})")
    guard.check_type(dataset, PRECISIONS[precision])
    shape = dataset.shape
    if shape is None or len(shape) < 2 or min(shape[1:]) < 1:
        raise Damage(f"must have rows of at least one value (got shape {shape})")
    return tuple(shape)


def mask(dataset: h5py.Dataset, shape: tuple[int, ...]) -> np.ndarray:
    """True where a weight of this shape is a synapse."""
    guard.check_type(dataset, "|u1")
    if dataset.shape != shape:
        raise Damage(f"must have the weights' shape {shape} (got {dataset.shape})")
    guard.check_stored(dataset)
    seen: np.ndarray = dataset[:] == 0
    return seen


def position(store: Store, *place: str) -> int:
    """The rank of what stands there; the order of a group's links is none."""
    return _rank(store.attributes(*place), store, *place)


def _rank(attributes: Mapping[str, Any], store: Store, *place: str) -> int:
    found = attributes.get("position", 0)
    if not isinstance(found, int):
        raise store.damaged(f"attribute 'position' must be an integer (got {found!r})", *place)
    return found


def nearest(name: str, names: Iterable[str]) -> str:
    """A hint for who asked for a name that is not there."""
    names = list(names)
    near = get_close_matches(name, names, n=1)
    return (f"Did you mean {near[0]!r}? " if near else "") + f"recorded: {', '.join(names) or 'none'}"
