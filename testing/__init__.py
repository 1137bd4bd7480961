"""The laboratory: property tests for plasticity rules, and what tests of circuits and engines draw examples from.

It needs hypothesis, which the extra `counterstream[testing]` brings; importing this package alone does not load it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from .requirements import LaboratoryError, require_hypothesis

if TYPE_CHECKING:
    from .counterexample import Counterexample
    from .laboratory import assert_claims, assert_property, try_property, try_rule
    from .outcome import Outcome
    from .properties import PROPERTIES, Property

__all__ = [
    "PROPERTIES",
    "Counterexample",
    "LaboratoryError",
    "Outcome",
    "Property",
    "assert_claims",
    "assert_property",
    "try_property",
    "try_rule",
]

_HOMES = {
    "PROPERTIES": "properties",
    "Counterexample": "counterexample",
    "Outcome": "outcome",
    "Property": "properties",
    "assert_claims": "laboratory",
    "assert_property": "laboratory",
    "try_property": "laboratory",
    "try_rule": "laboratory",
}


def __getattr__(name: str) -> object:
    """Public names, loaded when they are first asked for. Raises LaboratoryError without hypothesis."""
    if name not in _HOMES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    require_hypothesis()
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
