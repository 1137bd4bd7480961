"""Finds engines by name. Any installed package may offer one, through the entry-point group `counterstream.engines`."""

from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any

from ...circuits.errors import suggest
from .base import Engine, EngineError

GROUP = "counterstream.engines"

KNOWN = MappingProxyType(
    {
        "jax": "No JAX engine has been published. A package that offers one registers it in the entry-point "
        f"group '{GROUP}'. Use engine='torch'.",
    }
)
"""Engines that people ask for and that do not come with this package: how matters stand."""


class UnknownEngine(EngineError):
    """No installed package offers an engine of this name, and it is none that we know of."""


class EngineNotInstalled(EngineError):
    """An engine that we know of and that is not installed."""


class BrokenEngine(EngineError):
    """An engine that is installed and cannot be imported, or is none."""


def available_engines() -> tuple[str, ...]:
    """The names of the installed engines, sorted. Nothing is imported for it."""
    return tuple(sorted(_installed()))


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
    entry = installed[name]
    try:
        kind = entry.load()
    except Exception as error:  # whatever a foreign module raises on import
        raise BrokenEngine(
            f"engine '{name}' is installed ({entry.value}) but cannot be imported: "
            f"{type(error).__name__}: {error}. Mend or reinstall the package that offers it."
        ) from error
    if not (isinstance(kind, type) and issubclass(kind, Engine)):
        raise BrokenEngine(
            f"engine '{name}' is installed but {entry.value} is not a subclass of Engine. Report it there."
        )
    return kind(dtype=dtype, device=device)


def _installed() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}
