"""What must hold of a cross-projection: it joins partners, in the direction of its role."""

from collections.abc import Iterator

from ..declarations import CrossProjection
from ..errors import Problem, suggest
from ..yamlfile import Path_
from .declared import Declared
from .modes import check_conducts


def check_cross_projections(declared: Declared) -> Iterator[Problem]:
    """What is wrong with cross-projections. Of one whose ends are unknown nothing more is said."""
    for index, cross in enumerate(declared.circuit.cross):
        path: Path_ = ("cross", index)
        missing = [name for name in (cross.source, cross.target) if name not in declared.populations]
        for name in missing:
            hint = suggest(name, declared.populations, "populations")
            yield declared.problem(f"unknown population '{name}'. {hint}", *path)
        if not missing:
            yield from _check_ends(declared, cross, path)
            yield from check_conducts(declared, cross.modes, path)


def _check_ends(declared: Declared, cross: CrossProjection, path: Path_) -> Iterator[Problem]:
    source, target = declared.populations[cross.source], declared.populations[cross.target]
    if cross.source != target.partner and cross.target != source.partner:
        yield declared.problem(f"a cross-projection joins partners (got {cross.source} -> {cross.target})", *path)
    elif cross.role in ("gate", "drive") and source.is_feedback:
        yield declared.problem(
            f"a cross-projection with role {cross.role} runs from forward to feedback", *path, "role"
        )
    if cross.carries != "rate" and cross.role != "teach":
        yield declared.problem(f"a cross-projection with role {cross.role} carries the rate", *path, "carries")
