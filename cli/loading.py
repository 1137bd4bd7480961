"""Circuits and learning systems as an experiment names them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..circuits.declarations import Circuit
    from ..circuits.yamlfile import Document
    from ..engine.training import Experiment

Steps = tuple[str | int, ...]


def circuits_of(experiment: "Experiment") -> "list[Circuit]":
    """The experiment's circuit with each of its learning systems. Raises CircuitError."""
    systems = _systems(experiment)
    return [_circuit(experiment, system) for system in systems] if systems else [_circuit(experiment, None)]


def modes_of(experiment: "Experiment") -> set[str]:
    """The modes that any of its learning systems has. Raises CircuitError."""
    found = (document.data.get("modes") for document in _systems(experiment) if isinstance(document.data, dict))
    return {str(name) for modes in found if isinstance(modes, dict) for name in modes}


def _systems(experiment: "Experiment") -> "list[Document]":
    from ..models.library import learning_document

    found = []
    for index, learning in enumerate(experiment.learning or ()):
        path = _learning_path(experiment, index)
        with _placed(experiment, path):
            if isinstance(learning, str):
                found.append(learning_document(learning))
            else:
                found.append(_part(experiment, learning, path))
    return found


def _circuit(experiment: "Experiment", learning: "Document | None") -> "Circuit":
    from ..models.library import load, load_document

    given: dict[str, Any] = {"parameters": experiment.parameters, "options": experiment.options}
    with _placed(experiment, ("circuit",)):
        if isinstance(experiment.circuit, str):
            return load(experiment.circuit, learning=learning, **given)
        return load_document(_part(experiment, experiment.circuit, ("circuit",)), learning=learning, **given)


def _part(experiment: "Experiment", data: Any, path: Steps) -> "Document":
    """A declaration inside the experiment, with the places at which it stands in the experiment's file."""
    from ..circuits.yamlfile import Document

    document = experiment.document
    if document is None:
        return Document(data, f"{path[0]} of {experiment.name}")
    return Document(data, document.file, origins={(): (document, path)})


def _learning_path(experiment: "Experiment", index: int) -> Steps:
    """Where a learning system stands: one alone needs no list."""
    if experiment.document is None:
        return "learning", index
    written, _ = experiment.document.written(("learning",))
    return ("learning", index) if isinstance(written.data["learning"], list | tuple) else ("learning",)


@contextmanager
def _placed(experiment: "Experiment", path: Steps) -> Iterator[None]:
    """Name the place in the experiment's file where a problem has no file of its own: that of an unknown name."""
    from dataclasses import replace

    from ..circuits.errors import CircuitError
    from ..circuits.yamlfile import path_text

    try:
        yield
    except CircuitError as error:
        if experiment.document is None:
            raise
        place, name = experiment.document.location(path), path_text(path)
        problems = [p if p.location.file else replace(p, location=place, path=p.path or name) for p in error.problems]
        raise CircuitError(problems) from None
