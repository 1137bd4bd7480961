"""Tables 1 to 4 of docs/hdf5-format.md: the attributes that must be there, their types, and what they may say."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import h5py

from .. import guard
from ..contents import MAGIC
from ..errors import Damage
from ..recorded import PRECISIONS

TEXT, INT64, UINT8 = "text", "int64", "uint8"


@dataclass(frozen=True)
class Wanted:
    """A row of a table: the type, and what a value must be, in words and as a test of it."""

    kind: str
    rule: str = ""
    holds: Callable[[Any], bool] = lambda value: True


def words(*allowed: str) -> Wanted:
    """One of these texts."""
    return Wanted(TEXT, allowed[0] if len(allowed) == 1 else f"one of {', '.join(allowed)}", lambda v: v in allowed)


def _is_utc(value: str) -> bool:
    try:
        return datetime.fromisoformat(value).utcoffset() == timedelta(0)
    except ValueError:
        return False


def _is_tie(value: str) -> bool:
    kind, _, projection = value.partition(" ")
    return not value or (kind in ("transpose_of", "sign_of") and bool(projection))


ANY_TEXT = Wanted(TEXT)
NAME = Wanted(TEXT, "a name (not empty)", bool)
FLAG = Wanted(UINT8, "0 or 1", lambda value: value in (0, 1))
COUNT = Wanted(INT64, "0 or more", lambda value: value >= 0)
PRECISION = words(*PRECISIONS)

ROOT_OF_VERSION_1 = {
    "magic": words(MAGIC),
    "format_version": Wanted(INT64),
    "created": Wanted(TEXT, "a time in UTC, as ISO 8601 writes it", _is_utc),
    "circuit_name": ANY_TEXT,
    "learning": ANY_TEXT,
    "transports_weights": FLAG,
    "seed": Wanted(INT64),
    "status": words("running", "complete", "interrupted", "failed"),
    "message": ANY_TEXT,
}
ROOT = ROOT_OF_VERSION_1 | {
    "package_version": ANY_TEXT,
    "git_commit": ANY_TEXT,
    "git_dirty": FLAG,
    "resumptions": COUNT,
}
WEIGHTS = {
    "source": NAME,
    "target": NAME,
    "role": words("forward", "feedback"),
    "reverse_of": ANY_TEXT,
    "tie": Wanted(TEXT, "'transpose_of X', 'sign_of X' or empty", _is_tie),
    "wiring": NAME,
    "precision": PRECISION,
    "position": COUNT,
    "coordinates": words("epoch"),
}
RULE = "rule_"  # the beginning of attributes of weights whose end is the name of a mode
SIGNAL = {"partner": ANY_TEXT, "precision": PRECISION, "position": COUNT}  # coordinates: by whether there are labels
COLUMN = {"position": COUNT}
ALIGNMENT = COLUMN | {"coordinates": words("epoch")}
ANGLE = {"units": words("degree")}
OF_PROJECTION = {"reverse": NAME}


def check(item: h5py.Group | h5py.Dataset, name: str, wanted: Wanted) -> Any:
    """The value of an attribute; Damage unless it is there, of its type, and says what it may."""
    if not h5py.h5a.exists(item.id, name.encode()):
        raise Damage(f"attribute '{name}' must be there, {wanted.kind}")
    value = guard.attribute(item, name)
    found = kind(item, name)
    if found != wanted.kind:
        raise Damage(f"attribute '{name}' must be {wanted.kind} (got {found}, {value!r})")
    if not wanted.holds(value):
        raise Damage(f"attribute '{name}' must be {wanted.rule} (got {value!r})")
    return value


def kind(item: h5py.Group | h5py.Dataset, name: str) -> str:
    """The type of an attribute in the words of the tables."""
    return kind_of(h5py.h5a.open(item.id, name.encode("utf-8", "surrogateescape")).get_type())


def kind_of(held: h5py.h5t.TypeID) -> str:
    """A type in the words of the tables; `text` is that of varying length in UTF-8 alone."""
    if isinstance(held, h5py.h5t.TypeStringID):
        if not held.is_variable_str():
            return "text of fixed length"
        return TEXT if held.get_cset() == h5py.h5t.CSET_UTF8 else "text in ASCII"
    dtype = str(held.dtype.str)
    return guard.NUMBERS.get(dtype, dtype)
