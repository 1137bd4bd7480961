"""Which run something was saved from: what must be the same for a run to go on from it, and what may differ."""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import PurePath
from typing import Any, TypeAlias
from zlib import crc32

from ..data import Dataset
from .experiment import Experiment, explicit

Identity: TypeAlias = dict[str, Any]
"""Plain values by dotted name."""

IN_CIRCUIT = ("circuit", "options", "learning", "parameters")
FREE = ("format", "name", "seeds", "threads", "device", "output", "checkpoint")
"""Keys of an experiment that may change between two parts of a run: they name it, or say where and how fast it runs."""
FREE_OF_DATA = ("workers",)
LISTED = 5  # differences in a message
NOTHING = "nothing"


def identity(experiment: Experiment, *, circuit: str, system: str, seed: int, dataset: Dataset) -> Identity:
    """Of one run. `circuit`: its explicit circuit, as YAML. Data are known by their labels, not by where they lie."""
    return {
        "learning": system,
        "seed": seed,
        "circuit": sha256(circuit.encode()).hexdigest(),
        "labels": crc32(dataset.train.labels.tobytes()),
        **settings(explicit(experiment)),
    }


def settings(plain: Mapping[str, Any]) -> Identity:
    """What an experiment, as `explicit` gives it, says beside circuit and system, less what is free: by dotted name."""
    kept = {name: value for name, value in plain.items() if name not in (*IN_CIRCUIT, *FREE)}
    return dict(_flat("", kept))


def differences(saved: Identity, wanted: Identity) -> list[str]:
    """In words, at most LISTED of them."""
    found = []
    for name in dict.fromkeys((*wanted, *saved)):
        before, now = saved.get(name, NOTHING), wanted.get(name, NOTHING)
        if before != now:
            found.append(f"another {name}" if name in ("circuit", "labels") else f"{name} {before} (now {now})")
    more = [f"and {len(found) - LISTED} more"] if len(found) > LISTED else []
    return found[:LISTED] + more


def _flat(prefix: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            if not (prefix.startswith("data.") and name in FREE_OF_DATA):
                yield from _flat(f"{prefix}{name}.", inner)
    else:
        yield prefix.removesuffix("."), _plain(value)


def _plain(value: Any) -> Any:
    """A value that a checkpoint can hold. Of an absolute path the last part: data may have moved."""
    if isinstance(value, str) and PurePath(value).is_absolute():
        return PurePath(value).name
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
