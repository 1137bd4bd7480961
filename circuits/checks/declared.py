"""What a circuit without blocks declares, and where in its file: what every check starts from."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from ..declarations import Circuit, Population, Projection
from ..errors import Problem
from ..yamlfile import Document, Path_


@dataclass(frozen=True)
class Declared:
    """A circuit with its projections by label. Nothing about it has been checked."""

    circuit: Circuit
    document: Document
    projections: Mapping[str, Projection]
    """By label. Of several that share one, the first."""
    places: Mapping[str, Path_]
    """Where they stand, by label."""

    @classmethod
    def of(cls, circuit: Circuit, document: Document) -> "Declared":
        """What a circuit declares. `document` tells where."""
        projections: dict[str, Projection] = {}
        places: dict[str, Path_] = {}
        for index, projection in enumerate(circuit.projections):
            projections.setdefault(projection.label, projection)
            places.setdefault(projection.label, ("projections", index))
        return cls(circuit, document, projections, places)

    @property
    def populations(self) -> Mapping[str, Population]:
        return self.circuit.populations

    @cached_property
    def partners(self) -> Mapping[str, str]:
        """Forward population -> its feedback partner. Of several that name it as theirs, the first."""
        partners: dict[str, str] = {}
        for name, population in self.populations.items():
            if population.partner is not None:
                partners.setdefault(population.partner, name)
        return partners

    def problem(self, message: str, *path: str | int) -> Problem:
        """What is wrong at a path of the circuit."""
        return self.document.problem(message, path)
