"""Blocks in a row that are alike: the same populations, projections and rules, each block fed by the one before."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from ..graph import Graph

Members = Mapping[str, list[str]]
"""Path of a block, or name of a population -> the forward populations in it."""


class Folder:
    """Compares blocks of one circuit.

    A projection belongs to the population that it reaches in the forward stream; a reverse, to the one that its
    original reaches; another feedback projection, to the forward partner of the population that it reaches.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.owned: dict[str, list[str]] = {}
        self.sent: dict[str, list[str]] = {}
        """Forward population -> the projections that leave it or its partner, reverses apart."""
        for label, projection in graph.projections.items():
            self.owned.setdefault(self.owner(label), []).append(label)
            if projection.reverse_of is None:
                self.sent.setdefault(self.forward(projection.source), []).append(label)
        self.described = cache(self._described)
        self._cross: dict[str, list[Any]] = {}
        for cross in graph.circuit.cross:
            said = (self._is_back(cross.source), cross.role, cross.carries, cross.modes)
            self._cross.setdefault(self.forward(cross.target), []).append(said)

    def forward(self, population: str) -> str:
        """The population itself, or its forward partner."""
        return self.graph.populations[population].partner or population

    def _is_back(self, population: str) -> bool:
        return self.graph.populations[population].is_feedback

    def owner(self, label: str) -> str:
        """The forward population that a projection belongs to."""
        projection = self.graph.projections[label]
        original = projection.reverse_of
        return self.forward(projection.target if original is None else self.graph.projections[original].target)

    def alike(self, one: str, other: str, members: Members) -> bool:
        """Whether two blocks are the same but for their names and for what feeds them."""
        if len(members[one]) != len(members[other]) or members[one] == [one] or members[other] == [other]:
            return False
        return bool(self._signature(one, members) == self._signature(other, members))

    def leads_on(self, one: str, other: str, members: Members) -> bool:
        """Whether a block feeds the next and nothing else, and the next has no other input than it, or than it has."""
        inside, behind = set(members[one]), set(members[other])
        for name in sorted(members[one]):
            for label in self.sent.get(name, ()):
                if self.owner(label) not in inside | behind:
                    return False
        return all(
            far in inside or far == near
            for near, far in zip(self._sources(one, members), self._sources(other, members), strict=True)
        )

    def _sources(self, block: str, members: Members) -> list[str]:
        """The populations outside of a block that feed it, in the order of what they feed."""
        inside = set(members[block])
        found = []
        for name in sorted(members[block]):
            for label in self.owned.get(name, ()):
                projection = self.graph.projections[label]
                source = self.forward(projection.source)
                if projection.reverse_of is None and source not in inside:
                    found.append(source)
        return found

    def _signature(self, block: str, members: Members) -> Any:
        inside = set(members[block])
        outside: dict[str, int] = {}

        def place(name: str) -> str:
            """A population by its name within the block, or as the first, second, ... one outside."""
            near, mark = self.forward(name), "~" if self._is_back(name) else ""
            if near in inside:
                return near.removeprefix(f"{block}.") + mark
            return f"#{outside.setdefault(near, len(outside))}{mark}"

        return [
            (
                name.removeprefix(f"{block}."),
                self.described(name),
                [
                    (
                        place(self.graph.projections[label].source),
                        place(self.graph.projections[label].target),
                        self._tied(label, block),
                        self._said(label),
                    )
                    for label in self.owned.get(name, ())
                ],
            )
            for name in sorted(members[block])
        ]

    def _described(self, name: str) -> Any:
        """A population with its partner and their cross-projections, names left out."""
        back = self.graph.partners.get(name)
        both = [self.graph.populations[each] for each in (name, back) if each is not None]
        kinds = [population.model_dump_json(exclude={"partner", "shape"}) for population in both]
        return kinds, self.graph.shapes[name], self._cross.get(name)

    def _tied(self, label: str, block: str) -> tuple[str, str] | None:
        projection = self.graph.projections[label]
        if (tie := projection.tie) is None:
            return None
        own = tie.owner == projection.reverse_of
        return tie.kind, "its original" if own else tie.owner.replace(f"{block}.", "")

    def _said(self, label: str) -> Any:
        """What is declared of a projection, names left out, and between which shapes it runs."""
        projection, geometry = self.graph.projections[label], self.graph.geometries[label]
        names = {"name", "source", "target", "reverse_of", "weights"}
        said = f"{projection.reverse_of is None} {projection.model_dump_json(exclude=names)}"
        return said, geometry.lower, geometry.upper
