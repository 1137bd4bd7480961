"""What must hold of modes: their names, and that those in which something conducts are declared."""

from collections.abc import Iterable, Iterator

from .. import names
from ..declarations import LearningSystem
from ..errors import Problem, suggest
from ..yamlfile import Path_
from .declared import Declared


def check_conducts(declared: Declared, modes: Iterable[str] | None, path: Path_) -> Iterator[Problem]:
    """Unknown ones among the modes in which the projection or cross-projection at `path` conducts."""
    known = declared.circuit.modes
    for name in modes or ():
        if name not in known:
            yield declared.problem(f"unknown mode '{name}'. {suggest(name, known, 'modes')}", *path, "modes")


def check_modes(declared: Declared) -> Iterator[Problem]:
    """Modes that projections name and no one declares."""
    for label, projection in declared.projections.items():
        yield from check_conducts(declared, projection.modes, declared.places[label])


def check_mode_names(declared: Declared) -> Iterator[Problem]:
    """Names of modes, in which states and recordings are told apart: the circuit's and every learning system's."""
    places: dict[str, Path_] = {name: ("modes", name) for name in declared.circuit.modes}
    holders: list[tuple[object, Path_]] = [(declared.circuit.learning, ("learning",))]
    holders += [(p.learning, (*declared.places[label], "learning")) for label, p in declared.projections.items()]
    for system, path in holders:
        if isinstance(system, LearningSystem):
            places |= {name: (*path, "modes", name) for name in system.modes if name not in places}
    for name, path in places.items():
        if wrong := names.mode_complaint(name):
            yield declared.problem(wrong, *path)
