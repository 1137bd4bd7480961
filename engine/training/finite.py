"""Finding where a circuit first went wrong once its loss is no longer a number."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..simulator import Simulator

COMPARTMENTS = ("soma", "rate")


def first_not_finite(sim: Simulator, loss: float = 0.0) -> str:
    """The first compartment, forward populations before the `loss` and that before feedback ones, in the
    order in which signals reach them, that holds NaN or infinity in the last step; else the first such
    weights, which that step left behind. In words. It is weights alone where the last step cannot be looked into: a
    simulator that works in place has overwritten what it saw, and of ranks that normalize together each would have to.
    """
    graph = sim.compiled.graph
    if sim.in_place or sim.compiled.synchronise:
        return _first_weights(sim)
    if found := _first_compartment(sim, graph.forward):
        return found
    if not math.isfinite(loss) and graph.outputs:  # sums of finite rates overflow too
        return f"population {' or '.join(map(repr, graph.outputs))} (its loss)"
    if found := _first_compartment(sim, graph.feedback):
        return found
    return _first_weights(sim)


def _first_weights(sim: Simulator) -> str:
    for name, weights in sim.weights.items():
        if not _finite(weights):
            return f"the weights of '{name}'"
    return "the loss itself"


def _first_compartment(sim: Simulator, populations: Iterable[str]) -> str | None:
    for population in populations:
        for compartment in COMPARTMENTS:
            if not _finite(sim.read(f"{population}.{compartment}")):
                return f"population '{population}' (its {compartment})"
    return None


def _finite(values: Any) -> bool:
    return bool(np.isfinite(np.asarray(values)).all())
