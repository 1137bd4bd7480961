"""Selectors: which projections and populations of a circuit are recorded, by name or glob, by role, by wiring."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from ...circuits.graph import Graph
from .signals import What

Role = Literal["both", "forward", "feedback"]
ALL = "all"


@dataclass(frozen=True)
class Selection:
    """What selectors chose, in the order of the circuit; and the patterns that match nothing there, each with the
    names that it might have meant."""

    names: tuple[str, ...]
    idle: tuple[str, ...] = ()
    valid: tuple[str, ...] = ()


def select_projections(graph: Graph, patterns: Sequence[str], role: Role, wiring: Collection[str]) -> Selection:
    """Projections with weights, those that activity passes first, then those of errors, sources first.

    A pattern is a name or a glob (`stage1.*`). It matches a projection by its own name, or by the name of the
    projection that it reverses: `v1->v2` is W and its B, which `role` then chooses from. `all` is every projection that
    learns, carries errors or is reversed: constants of the forward stream are recorded where they are named.
    """
    names = [label for label in _in_order(graph) if graph.weighted(label)]
    known = {label: {label, graph.projections[label].reverse_of or label} for label in names}
    matched = {
        label: {pattern for pattern in patterns if any(fnmatchcase(name, pattern) for name in known[label])}
        | ({ALL} if ALL in patterns and _takes_part(graph, label) else set())
        for label in names
    }
    chosen = [
        label
        for label in names
        if matched[label]
        and role in ("both", "feedback" if graph.is_feedback(label) else "forward")
        and graph.geometries[label].wiring.kind in wiring
    ]
    return Selection(tuple(chosen), _idle(patterns, matched.values()), tuple(names))


def select_populations(graph: Graph, patterns: Sequence[str], what: Sequence[What]) -> Selection:
    """Forward populations of which one of `what` can be recorded, in the order of the forward pass.

    Every one has a rate; those with a feedback partner have a delta.
    """
    names = [name for name in graph.forward if "rate" in what or name in graph.partners]
    matched = {
        name: {pattern for pattern in patterns if pattern == ALL or fnmatchcase(name, pattern)} for name in names
    }
    chosen = tuple(name for name in names if matched[name])
    return Selection(chosen, _idle(patterns, matched.values()), tuple(names))


def _in_order(graph: Graph) -> Iterable[str]:
    for population in (*graph.forward, *graph.feedback):
        yield from graph.into(population)


def _takes_part(graph: Graph, label: str) -> bool:
    projection = graph.projections[label]
    is_reversed = any(other.reverse_of == label for other in graph.projections.values())
    return bool(projection.rules or graph.is_feedback(label) or is_reversed)


def _idle(patterns: Sequence[str], matched: Iterable[set[str]]) -> tuple[str, ...]:
    found = set().union(*matched)
    return tuple(pattern for pattern in patterns if pattern != ALL and pattern not in found)
