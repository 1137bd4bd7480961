"""What must hold of the names that rules use: parameters and modulators."""

from collections.abc import Iterable, Iterator

from .. import names
from ..declarations import LearningSystem
from ..errors import Problem
from ..yamlfile import Path_
from .declared import Declared


def check_parameters(declared: Declared) -> Iterator[Problem]:
    """Names that cannot stand in a rule: parameters of the circuit, of a population, of a projection; modulators."""
    circuit = declared.circuit
    holders: list[tuple[Iterable[str], Path_]] = [
        (circuit.parameters, ("parameters",)),
        (circuit.modulators, ("modulators",)),
        *((p.parameters, ("populations", name, "parameters")) for name, p in declared.populations.items()),
        *((p.parameters, (*declared.places[label], "parameters")) for label, p in declared.projections.items()),
    ]
    if isinstance(circuit.learning, LearningSystem):
        holders.append((circuit.learning.parameters, ("learning", "parameters")))
        holders.append((circuit.learning.modulators, ("learning", "modulators")))
    for found, path in holders:
        for name in found:
            if wrong := names.parameter_complaint(name):
                yield declared.problem(wrong, *path, name)
