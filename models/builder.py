"""Circuits from Python: the declarations of the circuit language, collected line by line.

A thin layer and no second language: a population takes the fields of `Population`, a projection those of `Projection`,
a wiring is a declaration, or what would stand in a file. What is built is checked as a file is. It has no blocks and
stages, Python's own loops say the same: it equals `compact(load(FILE))` (circuits/expansion), and `load(FILE)` itself
only where the file has none either.

    net = Builder("perceptron")
    image = net.input("image", [784])
    hidden = net.population("hidden", transfer="relu")
    digit = net.population("digit", transfer="softmax")
    net.project(image, hidden, Dense(size=100))
    net.project(hidden, digit, {"dense": {"size": 10}})
    circuit = net.circuit("weight_mirror")
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..circuits.declarations import Circuit, LearningSystem, Population, Projection
from ..circuits.errors import CircuitError, Location
from ..circuits.expansion import expand_document
from ..circuits.locality import prove
from ..circuits.validation import build
from ..circuits.wiring import Wiring
from ..circuits.writing import as_data
from ..circuits.yamlfile import Document, Path_
from .library import load_learning


class Builder:
    """Collects populations and projections; `circuit` returns them as a checked, compact circuit.

    Populations and projections keep the order in which they were added; a projection may come before its ends. What is
    wrong with one declaration is raised where it is added, what is wrong with the whole in `circuit`: CircuitErrors
    whose paths hold the names of populations and projections.
    """

    def __init__(self, name: str, description: str = "") -> None:
        self.name = name
        self.description = description
        self._populations: dict[str, Population] = {}
        self._projections: dict[str, Projection] = {}

    def input(self, name: str, shape: Sequence[int]) -> str:
        """A population that carries data of a shape, [features] or [channels, height, width]. Returns its name."""
        listed = isinstance(shape, Iterable) and not isinstance(shape, str)
        return self.population(name, input=list(shape) if listed else shape)

    def population(self, name: str, **declared: Any) -> str:
        """A population with the fields of `Population`. Returns its name."""
        place = self._place("populations", name, declared)
        if name in self._populations:
            raise CircuitError(place.problem(f"two populations must not share the name '{name}'"))
        self._populations[name] = build(Population, place)
        return name

    def project(
        self,
        source: str,
        target: str,
        wiring: Wiring | str | Mapping[str, Any],
        *,
        name: str | None = None,
        **declared: Any,
    ) -> str:
        """A projection with the fields of `Projection`. Returns its label: its name, or `source->target`."""
        label = name or f"{source}->{target}"
        named = {} if name is None else {"name": name}
        place = self._place("projections", label, {**named, "from": source, "to": target, "wiring": wiring, **declared})
        if label in self._projections:
            raise CircuitError(place.problem(f"two projections must not share the name '{label}': name parallel ones"))
        self._projections[label] = build(Projection, place)
        return label

    def circuit(self, learning: str | Path | LearningSystem | None = "backprop") -> Circuit:
        """The compact circuit under a learning system (a stock name, a path or the system itself), which it then holds.

        With None the circuit learns nothing. Raises CircuitError with every problem of the whole.
        """
        built = Circuit(
            name=self.name,
            description=self.description,
            populations=self._populations,
            projections=list(self._projections.values()),
            learning=self._system(learning),
        )
        prove(*expand_document(built, self._document(built), strict=True))
        return built

    def _system(self, learning: str | Path | LearningSystem | None) -> LearningSystem | None:
        try:
            return None if learning is None else load_learning(learning)
        except CircuitError as error:
            raise error.located(Location(self.name), "learning") from None

    def _place(self, kind: str, name: str, declared: Mapping[str, Any]) -> Document:
        """A declaration as a part of a document, so that problems bear its name."""
        return Document({kind: {name: dict(declared)}}, self.name).at(kind, name)

    def _document(self, built: Circuit) -> Document:
        """The circuit as data, whose problems name projections by their labels and not by their number."""
        root = Document({}, self.name)
        origins: dict[Path_, tuple[Document, Path_]] = {(): (root, ())}
        for index, label in enumerate(self._projections):
            origins["projections", index] = (root, ("projections", label))
        return Document(as_data(built), self.name, origins=origins)
