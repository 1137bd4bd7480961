"""Wirings laid between the shapes of their ends."""

from collections.abc import Mapping

from ..declarations import Projection
from ..errors import Problems
from ..wiring import Geometry, Shape, WiringError
from .declared import Declared


def lay_geometries(declared: Declared, shapes: Mapping[str, Shape], problems: Problems) -> Mapping[str, Geometry]:
    """The geometry of every projection whose ends have shapes, by label; a reverse has its original's.

    Projections onto forward populations gave these their shapes. Those onto feedback populations, which have their
    partners', may not fit: that goes to `problems`.
    """
    geometries: dict[str, Geometry] = {}
    for label, projection in declared.projections.items():
        geometry = _geometry(declared, projection, shapes)
        if geometry is None:
            continue
        geometries[label] = geometry
        if projection.reverse_of is None and declared.populations[projection.target].is_feedback:
            _check_fit(declared, label, geometry, problems)
    return geometries


def _geometry(declared: Declared, projection: Projection, shapes: Mapping[str, Shape]) -> Geometry | None:
    original = declared.projections[projection.reverse_of] if projection.reverse_of else projection
    lower, upper = shapes.get(original.source), shapes.get(original.target)
    if lower is None or upper is None or original.wiring is None:
        return None
    return Geometry(original.wiring, lower, upper)


def _check_fit(declared: Declared, label: str, geometry: Geometry, problems: Problems) -> None:
    path, target, upper = declared.places[label], declared.projections[label].target, geometry.upper
    try:
        found = geometry.wiring.target_shape(geometry.lower, upper)
    except WiringError as error:
        problems.add(declared.problem(str(error), *path, "wiring"))
        return
    if found != upper:
        message = f"'{target}' has shape {list(upper)}, but '{label}' gives {list(found)}"
        problems.add(declared.problem(message, *path))
