"""Characters that are not what they seem: those that nobody sees, that reorder text, or that look like others."""

import re
import unicodedata

REORDERING = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Marks that make text read in another order than it is stored in (Boucher and Anderson 2021, "Trojan Source")."""
UNSEEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What a YAML file may not hold (YAML 1.2, section 5.1): control characters, halves of surrogate pairs."""

_LOOK_ALIKES = str.maketrans(
    "АВЕЗКМНОРСТУХаеіјорсухѕԁһԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧονρυιαγ−–—‐∗⁄․",  # Cyrillic, Greek, signs
    "ABE3KMHOPCTYXaeijopcyxsdhqwABEZHIKMNOPTYXovpuiay----*/.",
)


def printable(text: str) -> str:
    """The text as a terminal may show it on one line: all but visible characters and spaces as escapes (`\\x1b`)."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escape(ord(c)) for c in text)


def _escape(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def named(character: str) -> str:
    """A character by its code and its Unicode name.

    >>> named("\u0430")
    'U+0430 CYRILLIC SMALL LETTER A'
    """
    return f"U+{ord(character):04X} {unicodedata.name(character, '')}".rstrip()


def foreign(name: str) -> str:
    """Which characters of a name are not ASCII, or "" where all are: they may look as if they were.

    >>> foreign("v\u0430")
    "'\u0430' is U+0430 CYRILLIC SMALL LETTER A"
    """
    found = dict.fromkeys(character for character in name[:100] if not character.isascii())
    return ", ".join(f"'{printable(character)}' is {named(character)}" for character in list(found)[:3])


def in_ascii(name: str) -> str:
    """The name as it looks, in ASCII: look-alikes replaced, accents and what nobody sees left out.

    >>> in_ascii("\uff56\u0430\u200b1")
    'va1'
    """
    if name.isascii():
        return name
    return unicodedata.normalize("NFKD", name).translate(_LOOK_ALIKES).encode("ascii", "ignore").decode("ascii")
