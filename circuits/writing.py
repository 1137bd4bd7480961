"""Circuits as text: the YAML that loads to the same circuit."""

import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

WIDTH = 120
"""A collection that fits into a line of this width stands on one line, otherwise one line an entry."""

_SAFE = re.compile(r"[A-Za-z_$/(][A-Za-z0-9_$.+/()~ >*'-]*")  # plain text even inside {} and []
_WORDS = {"yes", "no", "on", "off", "true", "false", "null"}  # truth values to YAML 1.1 readers


def as_data(declaration: BaseModel) -> dict[str, Any]:
    """Plain data of a declaration, defaults left out, keys as they are written in files."""
    data: dict[str, Any] = declaration.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return {"format": 1, **data} if "format" in type(declaration).model_fields else data


def dump(declaration: BaseModel) -> str:
    """YAML text of a circuit, a learning system or any other declaration. Reading it gives an equal declaration."""
    return as_text(as_data(declaration))


def as_text(data: dict[str, Any]) -> str:
    """YAML text of plain data, which this package's reader reads back: to it 1e-3 is a number, and text needs quotes
    that would not to other readers.
    """
    return "".join(f"{line}\n" for line in _lines(data, 0))


def _lines(value: Any, indent: int) -> Iterator[str]:
    """The lines of a collection that does not stand on one line."""
    space = " " * indent
    if isinstance(value, dict):
        for key, item in value.items():
            short = f"{space}{_scalar(key)}: {in_line(item)}"
            if _fits(item, short) and not (indent == 0 and _is_table(item)):
                yield short
            else:
                yield f"{space}{_scalar(key)}:"
                yield from _lines(item, indent + 2)
    else:
        for item in value:
            short = f"{space}- {in_line(item)}"
            if _fits(item, short):
                yield short
            else:
                first, *rest = _lines(item, indent + 2)
                yield f"{space}- {first.lstrip()}"
                yield from rest


def _fits(item: Any, line: str) -> bool:
    return not isinstance(item, dict | list) or not item or len(line) <= WIDTH


def _is_table(item: Any) -> bool:
    """True for a collection of mappings: at the top of a file such a one stands one entry a line."""
    if not isinstance(item, dict | list):
        return False
    return any(isinstance(entry, dict) for entry in (item.values() if isinstance(item, dict) else item))


def in_line(value: Any) -> str:
    """YAML text of any value, without a line break."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(key)}: {in_line(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(in_line, value)) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value if _reads_plain(value) else _quoted(value)
    return repr(value)


def _reads_plain(text: str) -> bool:
    """Whether text without quotes is read as that text."""
    return bool(_SAFE.fullmatch(text)) and not text.endswith(" ") and text.lower() not in _WORDS


def _quoted(text: str) -> str:
    """In double quotes; what cannot be printed is escaped."""
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if character in '\\"':
        return f"\\{character}"
    return character if character.isprintable() else f"\\U{ord(character):08x}"
