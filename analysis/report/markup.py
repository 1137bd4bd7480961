"""HTML and SVG from Python values. Whatever is not `Markup` already is text, and is escaped."""

import re
from collections.abc import Iterable
from html import escape

# Neither control characters nor those that turn the direction of writing belong into a name; h5py hands undecodable
# bytes over as lone surrogates, which no file can hold.
UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
VOID = frozenset({"meta", "br", "link"})


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def text(value: object) -> Markup:
    """A value as HTML: Markup as it stands, anything else escaped, for contents and attributes alike."""
    return value if isinstance(value, Markup) else Markup(escape(plain(value)))


def plain(value: object) -> str:
    """A value as printable text, not escaped."""
    return UNPRINTABLE.sub("\ufffd", str(value))


def join(parts: Iterable[object], between: str = "") -> Markup:
    return Markup(text(between).join(text(part) for part in parts))


def tag(name: str, /, *children: object, **attributes: object) -> Markup:
    """An element. In names of attributes `_` stands for `-`, a last one for nothing (`class_`); None and False leave an
    attribute out, True gives it no value.
    """
    given = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{text(value)}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    return Markup(f"<{name}{given}>" if name in VOID else f"<{name}{given}>{join(children)}</{name}>")


def counted(count: int, singular: str, plural: str | None = None) -> str:
    """`1 run`, `2 runs`."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def listed(words: Iterable[object], last: str = "and") -> Markup:
    """`a, b and c`."""
    parts = [text(word) for word in words]
    if len(parts) < 2:
        return join(parts)
    return Markup(f"{', '.join(parts[:-1])} {last} {parts[-1]}")
