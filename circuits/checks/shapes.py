"""The shapes of populations: declared, or what the projections onto them make; those of partners are one."""

from collections.abc import Iterable, Mapping
from math import prod

from ..declarations import Population
from ..errors import Problems
from ..wiring import MAXIMAL_NEURONS, OneToOne, Shape, Wiring, WiringError
from .declared import Declared


def infer_shapes(declared: Declared, forward: Iterable[str], problems: Problems) -> Mapping[str, Shape]:
    """The shape of every population that has one; why others have none goes to `problems`.

    `forward`: the forward populations, sources first.
    """
    return _Inference(declared, problems).run(forward)


class _Inference:
    def __init__(self, declared: Declared, problems: Problems) -> None:
        self._declared = declared
        self._problems = problems
        self._shapes: dict[str, Shape] = {}
        self._into: dict[str, list[str]] = {name: [] for name in declared.populations}
        for label, projection in declared.projections.items():
            self._into[projection.target].append(label)

    def run(self, forward: Iterable[str]) -> Mapping[str, Shape]:
        for name in forward:
            self._infer(name, self._into[name])
        for name, population in self._declared.populations.items():
            if population.partner in self._shapes:
                self._inherit(name, population)
        return self._shapes

    def _complain(self, message: str, *path: str | int) -> None:
        self._problems.add(self._declared.problem(message, *path))

    def _infer(self, name: str, labels: list[str]) -> None:
        population = self._declared.populations[name]
        known = population.input or population.shape or self._shape_of_target(population)
        if known is None and not labels:
            self._complain("a population needs an input shape, or something that projects to it", "populations", name)
        known = known or self._concatenated(labels)
        for label in labels:
            projection, path = self._declared.projections[label], (*self._declared.places[label], "wiring")
            source = self._shapes.get(projection.source)
            if source is None or projection.wiring is None:
                return  # its source has no shape, which is named already
            try:
                found = projection.wiring.target_shape(source, known)
            except WiringError as error:
                self._complain(str(error), *path)
                continue
            if known is not None and found != known:
                why = "" if population.shape else " (as the other projections onto it say)"
                self._complain(f"'{name}' has shape {list(known)}{why}, but '{label}' gives {list(found)}", *path)
            known = known or found
        if known is not None:
            self._settle(name, known)

    def _settle(self, name: str, shape: Shape) -> None:
        if prod(shape) > MAXIMAL_NEURONS:
            message = f"a population holds at most {MAXIMAL_NEURONS} neurons (got {list(shape)})"
            self._complain(message, "populations", name)
        else:
            self._shapes[name] = shape

    def _shape_of_target(self, population: Population) -> Shape | None:
        if isinstance(population.target, int):
            return (population.target,)
        return self._shapes.get(population.target) if population.target is not None else None

    def _concatenated(self, labels: list[str]) -> Shape | None:
        """The shape of a population that is made of channel ranges, or None."""
        projections = [self._declared.projections[label] for label in labels]
        wirings: list[tuple[Wiring | None, Shape | None]] = [
            (projection.wiring, self._shapes.get(projection.source)) for projection in projections
        ]
        stops = [w.target[1] for w, shape in wirings if isinstance(w, OneToOne) and w.target and shape]
        sides = [shape[1:] for w, shape in wirings if isinstance(w, OneToOne) and w.target and shape]
        return (max(stops), *sides[0]) if stops and len(stops) == len(labels) else None

    def _inherit(self, name: str, population: Population) -> None:
        assert population.partner is not None
        shape = self._shapes[population.partner]
        if population.shape and population.shape != shape:
            message = (
                f"partners have one shape (got {list(population.shape)}; '{population.partner}' has {list(shape)})"
            )
            self._complain(message, "populations", name, "shape")
        self._shapes[name] = shape
