"""What must hold of bounds and signs of weights (see `constraints.py`)."""

from collections.abc import Iterator, Mapping

from ..constraints import complaints, constraint
from ..declarations import Mixture
from ..errors import Problem
from ..wiring import Geometry, Shape
from .declared import Declared


def check_bounds(
    declared: Declared, label: str, shapes: Mapping[str, Shape], geometries: Mapping[str, Geometry]
) -> Iterator[Problem]:
    """Why a projection cannot keep its bounds, or the sign of its source."""
    projection = declared.projections[label]
    source = declared.populations[projection.source]
    if isinstance(source.sign, Mixture):
        path = ("populations", projection.source, "sign")
        if source.is_feedback:
            message = "a feedback population is excitatory or inhibitory as a whole, or has no sign"
            yield declared.problem(message, *path)
            return
        if shapes[projection.source][0] < 2:
            yield declared.problem("a mixture of signs needs two channels or more", *path)
            return
    for message in complaints(projection, source, geometries[label]):
        yield declared.problem(message, *declared.places[label])
    if projection.tie and projection.tie.kind == "same_as" and projection.tie.owner in geometries:
        yield from _check_shared(declared, label, projection.tie.owner, shapes)


def _check_shared(declared: Declared, label: str, owner: str, shapes: Mapping[str, Shape]) -> Iterator[Problem]:
    """Two projections that share weights keep them within one and the same."""
    joined = [declared.projections[label], declared.projections[owner]]
    held, theirs = (constraint(p, declared.populations[p.source], shapes[p.source]) for p in joined)
    if held != theirs:
        yield declared.problem(
            f"'{label}' and '{owner}' share weights, so that they must keep them within the same bounds "
            f"(got {held or 'none'} beside {theirs or 'none'})",
            *declared.places[label],
        )
