"""Finding where a circuit first went wrong once its loss is no longer a number."""

from typing import Any

import numpy as np

from ..simulator import Simulator

COMPARTMENTS = ("soma", "rate")


def first_not_finite(sim: Simulator) -> str:
    """The first compartment, forward populations before feedback ones, in the order in which signals
    reach them, that holds NaN or infinity in the last step; else the first such weights. In words.
    """
    graph = sim.compiled.graph
    for population in (*graph.forward, *graph.feedback):
        for compartment in COMPARTMENTS:
            if not _finite(sim.read(f"{population}.{compartment}")):
                return f"population '{population}' (its {compartment})"
    for name, weights in sim.weights.items():
        if not _finite(weights):
            return f"the weights of '{name}'"
    return "the loss itself"


def _finite(values: Any) -> bool:
    return bool(np.isfinite(np.asarray(values)).all())
