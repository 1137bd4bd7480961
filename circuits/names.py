"""Names: what may be called what, and the names that follow from others."""

import keyword
import re

from .characters import foreign
from .rules import FUNCTIONS, RESERVED_WORDS

PARTNER = "~"
LONGEST = 200
"""Characters of a population's or parameter's name: what tables and pictures can show. A projection's may hold two."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*~?")
_PROJECTION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.~>-]*")
_PARAMETER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def partner(population: str) -> str:
    """The feedback partner of a forward population."""
    return population + PARTNER


def target(output: str) -> str:
    """The population that carries the target of an output."""
    return f"{output}_target"


def reverse(projection: str) -> str:
    """The reverse of a projection."""
    return projection + PARTNER


def arrow(source: str, target: str) -> str:
    """The name of a projection that declares none."""
    return f"{source}->{target}"


def complaint(name: str, *, projection: bool = False) -> str | None:
    """Why a name cannot stand, or None if it can."""
    if projection and not _PROJECTION.fullmatch(name):
        return f"a projection's name must consist of ASCII letters, digits and any of _ . - > ~ ({_got(name)})"
    if not projection and not _NAME.fullmatch(name):
        return f"a name must consist of ASCII letters, digits, '_' and '.' and start with a letter ({_got(name)})"
    most = 2 * LONGEST + len("~->~") if projection else LONGEST
    if len(name.rstrip(PARTNER)) > most:
        return f"a name must have at most {most} characters (got {len(name)})"
    last = name.rstrip(PARTNER).rsplit(".", 1)[-1]
    if last in RESERVED_WORDS:
        return f"'{last}' is a reserved word (compartments and sides of a synapse): choose another name (got '{name}')"
    return None


def parameter_complaint(name: str) -> str | None:
    """Why a parameter or modulator cannot be called so, or None if it can."""
    if not _PARAMETER.fullmatch(name):
        return f"a name in rules must consist of ASCII letters, digits and '_' and start with a letter ({_got(name)})"
    if len(name) > LONGEST:
        return f"a name must have at most {LONGEST} characters (got {len(name)})"
    if name in RESERVED_WORDS or name in FUNCTIONS or keyword.iskeyword(name):
        return f"'{name}' has a meaning in rules already: choose another name"
    return None


def mode_complaint(name: str) -> str | None:
    """Why a mode cannot be called so, or None if it can."""
    if not _PARAMETER.fullmatch(name):
        return f"a mode's name must consist of ASCII letters, digits and '_' and start with a letter ({_got(name)})"
    return f"a name must have at most {LONGEST} characters (got {len(name)})" if len(name) > LONGEST else None


def _got(name: str) -> str:
    """The name as it was found, and what in it only looks like ASCII."""
    return f"got '{name}'; {strange}" if (strange := foreign(name)) else f"got '{name}'"
