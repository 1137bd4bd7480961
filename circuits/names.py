"""Names: what may be called what, and the names that follow from others."""

import re

from .rules import RESERVED_WORDS

PARTNER = "~"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*~?")
_PROJECTION = re.compile(r"[A-Za-z0-9_.~>-]+")


def partner(population: str) -> str:
    """The feedback partner of a forward population."""
    return population + PARTNER


def reverse(projection: str) -> str:
    """The reverse of a projection."""
    return projection + PARTNER


def arrow(source: str, target: str) -> str:
    """The name of a projection that declares none."""
    return f"{source}->{target}"


def complaint(name: str, *, projection: bool = False) -> str | None:
    """Why a name cannot stand, or None if it can."""
    pattern = _PROJECTION if projection else _NAME
    if not pattern.fullmatch(name):
        return f"a name must consist of letters, digits, '_' and '.' and start with a letter (got '{name}')"
    last = name.rstrip(PARTNER).rsplit(".", 1)[-1]
    if last in RESERVED_WORDS:
        return f"'{last}' is a reserved word (compartments and sides of a synapse): choose another name (got '{name}')"
    return None
