"""Loss and accuracy of a batch, from what a program observed of each output."""

from collections.abc import Mapping
from typing import Any

from .backends.base import Engine


def metrics_of(observed: Mapping[str, Any], classed: frozenset[str], engine: Engine[Any]) -> dict[str, float]:
    """Losses summed over the outputs, and accuracies averaged over those of `classed`, as far as there are any."""
    found: dict[str, list[float]] = {"loss": [], "accuracy": []}
    for name, value in observed.items():
        kind, _, output = name.partition("/")
        if kind == "loss" or (kind == "accuracy" and output in classed):
            found[kind].append(float(engine.numpy(value)))
    metrics = {"loss": sum(found["loss"])} if found["loss"] else {}
    return metrics | ({"accuracy": sum(found["accuracy"]) / len(found["accuracy"])} if found["accuracy"] else {})
