"""What must hold of the reverse of a projection."""

from collections.abc import Iterator

from ..errors import Problem, suggest
from .declared import Declared


def check_reverse(declared: Declared, label: str) -> Iterator[Problem]:
    """Why a projection, whose ends are known, cannot be the reverse that it says it is."""
    projection, path = declared.projections[label], declared.places[label]
    if projection.reverse_of is None:
        return
    original = declared.projections.get(projection.reverse_of)
    if original is None:
        hint = suggest(projection.reverse_of, declared.projections, "projections")
        yield declared.problem(f"unknown projection '{projection.reverse_of}'. {hint}", *path, "reverse_of")
        return
    ends = (declared.populations[projection.target].partner, declared.populations[projection.source].partner)
    if ends != (original.source, original.target):
        yield declared.problem(
            f"a reverse joins the partners the other way round: {original.target}'s partner to {original.source}'s "
            f"(got {projection.source} -> {projection.target})",
            *path,
            "reverse_of",
        )
    if projection.wiring is not None:
        yield declared.problem("a reverse has its original's wiring: leave 'wiring' out", *path, "wiring")
