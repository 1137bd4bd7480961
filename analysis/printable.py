"""Recorded texts as they may be printed: names come from files, and a terminal obeys control characters."""

import re

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
LAID_OUT = re.compile(r"[^\n]+")


def printable(text: object) -> str:
    """One line of text: control characters, marks of writing direction and lone surrogates as escapes (`\\x1b`)."""
    return CONTROL.sub(lambda found: found.group().encode("unicode_escape").decode("ascii"), str(text))


def printable_lines(text: object) -> str:
    """As `printable`, but line feeds stay."""
    return LAID_OUT.sub(lambda line: printable(line.group()), str(text))
