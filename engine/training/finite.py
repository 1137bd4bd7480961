"""Finding where a circuit first went wrong once its loss is no longer a number."""

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import numpy as np

COMPARTMENTS = ("soma", "rate")


class Readable(Protocol):
    """The part of a simulator that a search needs."""

    circuit: Any
    weights: Any

    def read(self, name: str) -> Any: ...


def first_not_finite(sim: Readable) -> str:
    """The first compartment, forward populations before feedback ones, in the order of the circuit, that holds NaN or
    infinity in the last step; else the first such projection; described for an error message.
    """
    for name in _compartments(sim.circuit.populations.items()):
        if not _finite(sim.read(name)):
            population, compartment = name.rsplit(".", 1)
            return f"population '{population}' (its {compartment})"
    for name, weights in sim.weights.items():
        if not _finite(weights):
            return f"the weights of '{name}'"
    return "the loss itself"


def _compartments(populations: Iterable[tuple[str, Any]]) -> Iterator[str]:
    found = list(populations)
    for feedback in (False, True):
        for name, population in found:
            if population.is_feedback == feedback:
                yield from (f"{name}.{part}" for part in COMPARTMENTS if part == "rate" or not population.is_source)


def _finite(values: Any) -> bool:
    return bool(np.isfinite(np.asarray(values)).all())
