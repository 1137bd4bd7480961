"""Finds engines by name. Any installed package may offer one, through the entry-point group `counterstream.engines`."""

from importlib.metadata import EntryPoint, entry_points
from inspect import isabstract
from types import MappingProxyType
from typing import Any

from ...circuits.errors import CounterstreamError, suggest
from .base import Engine, EngineError

GROUP = "counterstream.engines"

KNOWN = MappingProxyType(
    {
        "jax": "It is a package of its own, in the folder examples/engine-jax of Counterstream's repository: "
        "pip install ./examples/engine-jax. Or use engine='torch'.",
    }
)
"""Engines that people ask for and that do not come with this package: how to get them. Nothing else knows of them."""

_DECLARED = ("name", "dtypes", "operations", "wirings", "functions")


class UnknownEngine(EngineError):
    """No installed package offers an engine of this name, and it is none that we know of."""


class EngineNotInstalled(EngineError):
    """An engine that we know of and that is not installed."""


class BrokenEngine(EngineError):
    """An engine that is installed and cannot be used: not imported, not made, none at all, or there twice."""


def available_engines() -> tuple[str, ...]:
    """The names of the installed engines, sorted. Nothing is imported for it."""
    return tuple(sorted(_installed()))


def origin(name: str) -> str:
    """Where an installed engine comes from: its package with the version, and its class. Nothing is imported for it."""
    return "; ".join(map(_origin, _installed()[name]))


def load_engine(name: str, *, dtype: str | None = None, device: str = "cpu") -> Engine[Any]:
    """The engine of this name. `dtype` defaults to the engine's own first one.

    Raises UnknownEngine, EngineNotInstalled, BrokenEngine, and EngineError for a dtype or device that it does
    not have.
    """
    installed = _installed()
    if name not in installed:
        if name in KNOWN:
            raise EngineNotInstalled(f"engine '{name}' is not installed. {KNOWN[name]}")
        raise UnknownEngine(
            f"engine must be an installed one (got {name!r}). {suggest(name, sorted(installed), 'installed')}"
        )
    if len(installed[name]) > 1:
        offers = " and ".join(map(_origin, installed[name]))
        raise BrokenEngine(f"engine '{name}' must be offered by one package (got {offers}). Uninstall all but one.")
    (entry,) = installed[name]
    kind = _class(entry)
    try:
        return kind(dtype=dtype, device=device)
    except CounterstreamError:
        raise
    except Exception as error:  # whatever a foreign class raises
        raise BrokenEngine(
            f"engine '{name}' is installed ({_origin(entry)}) but cannot be made: {type(error).__name__}: {error}. "
            "Mend or reinstall the package that offers it."
        ) from error


def _class(entry: EntryPoint) -> type[Engine[Any]]:
    """The class that an entry point names. Raises BrokenEngine unless it is an engine in full."""
    try:
        kind = entry.load()
    except Exception as error:  # whatever a foreign module raises on import
        raise BrokenEngine(
            f"engine '{entry.name}' is installed ({_origin(entry)}) but cannot be imported: "
            f"{type(error).__name__}: {error}. Mend or reinstall the package that offers it."
        ) from error
    if not (isinstance(kind, type) and issubclass(kind, Engine)):
        raise BrokenEngine(
            f"engine '{entry.name}' is installed but {_origin(entry)} is not a subclass of Engine. Report it there."
        )
    missing = [name for name in _DECLARED if not hasattr(kind, name)]
    missing += sorted(kind.__abstractmethods__) if isabstract(kind) else []
    if missing:
        raise BrokenEngine(
            f"engine '{entry.name}' is installed but {_origin(entry)} must have {', '.join(missing)}, as every engine. "
            "Report it there."
        )
    return kind


def _origin(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}, {entry.value}" if entry.dist else entry.value


def _installed() -> dict[str, list[EntryPoint]]:
    """Entry points by name: several where packages offer different classes under one."""
    found: dict[str, dict[str, EntryPoint]] = {}
    for entry in entry_points(group=GROUP):
        found.setdefault(entry.name, {})[entry.value] = entry
    return {name: list(offers.values()) for name, offers in found.items()}
