"""Circuits and learning systems as a command or an experiment names them."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..circuits.declarations import Circuit, LearningSystem
    from ..engine.training import Experiment


def circuits_of(experiment: "Experiment") -> "list[Circuit]":
    """The experiment's circuit with each of its learning systems. Raises CircuitError."""
    return [_circuit(experiment, learning) for learning in experiment.learning or (None,)]


def _circuit(experiment: "Experiment", learning: str | dict[str, Any] | None) -> "Circuit":
    from ..circuits.yamlfile import Document
    from ..models.library import load, load_document

    system = _inline(learning, experiment.name) if isinstance(learning, dict) else learning
    if isinstance(experiment.circuit, str):
        return load(experiment.circuit, learning=system, parameters=experiment.parameters, options=experiment.options)
    return load_document(
        Document(experiment.circuit, f"circuit of {experiment.name}"),
        learning=system,
        parameters=experiment.parameters,
        options=experiment.options,
    )


def _inline(learning: dict[str, Any], name: str) -> "LearningSystem":
    from ..circuits.declarations import LearningSystem
    from ..circuits.validation import build
    from ..circuits.yamlfile import Document

    return build(LearningSystem, Document(learning, f"learning of {name}"))
