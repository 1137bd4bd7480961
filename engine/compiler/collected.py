"""What the rules of a mode come to: drives by state, and what each state's consolidation needs."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ...circuits.graph import Graph
from ...circuits.plasticity import Plasticity
from ...circuits.rules import Term
from .builder import ProgramBuilder, Ref
from .conduction import Compartments
from .consolidation import Learner
from .drives import Drives, View
from .errors import cannot
from .state import signs_name, weights_name


class Collected:
    """Drives by state, summed where several rules move one state, and what each state's consolidation needs."""

    def __init__(self, builder: ProgramBuilder, graph: Graph) -> None:
        self.graph = graph
        self.builder = builder
        self.lowering = Drives(builder, graph)
        self._drives: dict[str, list[Ref]] = {}
        self._rules: dict[str, list[Plasticity]] = {}

    def synapses(
        self, plasticity: Plasticity, sides: Mapping[str, Compartments], reverse_weight: Ref | None = None
    ) -> None:
        label = plasticity.subject
        geometry, state = self.graph.geometries[label], weights_name(self.graph, label)
        weight = self.builder.input(state, geometry.weight_shape or (), role="state")
        view = View(sides, weight, label, reverse_weight)
        reverse = self.graph.projections[label].reverse_of is not None
        once = self._without_what_is_said(state, plasticity)
        drive = self.lowering.synapses(once, view, geometry, reverse=reverse)
        self._add(state, plasticity, drive)

    def _without_what_is_said(self, state: str, plasticity: Plasticity) -> Plasticity:
        """Terms in w alone apply once a weight: where projections share it, the first one's rule has them."""
        earlier = self._rules.get(state)
        if not earlier:
            return plasticity
        if _alone(earlier[0]) != _alone(plasticity):
            raise cannot(f"the rules that share {state} must have the same terms in w alone", plasticity.subject)
        return replace(plasticity, terms=tuple(term for term in plasticity.terms if term.pre or term.post))

    def intrinsic(
        self, plasticity: Plasticity, sides: Mapping[str, Compartments], normalized_sums: tuple[Ref, Ref] | None
    ) -> None:
        name, state = plasticity.subject, f"{plasticity.kind}/{plasticity.subject}"
        weight = self.builder.input(state, self.graph.shapes[name][:1], role="state")
        self._add(state, plasticity, self.lowering.intrinsic(plasticity, View(sides, weight, name), normalized_sums))

    def _add(self, state: str, plasticity: Plasticity, drive: Ref | None) -> None:
        self._rules.setdefault(state, []).append(plasticity)
        self._drives.setdefault(state, [])
        if drive is not None:
            self._drives[state].append(drive)

    def drives(self) -> Mapping[str, Ref]:
        return {f"drive/{state}": self.builder.total(refs) for state, refs in self._drives.items() if refs}

    def learners(self) -> tuple[Learner, ...]:
        drives = self.drives()
        found: dict[Any, str] = {}
        learners = []
        for state, rules in self._rules.items():
            learner = self._learner(state, rules)
            drive = drives.get(f"drive/{state}")
            first = state if drive is None else found.setdefault((drive, learner.consolidation, learner.decay), state)
            learners.append(learner if first == state else replace(learner, twin=first))
        return tuple(learners)

    def _learner(self, state: str, rules: Iterable[Plasticity]) -> Learner:
        rules = list(rules)
        first = rules[0]
        if any(rule.consolidation != first.consolidation for rule in rules):
            raise cannot(f"the rules that share {state} must have one consolidation", first.subject)
        is_synapse = first.kind == "weights"
        geometry = self.graph.geometries[first.subject] if is_synapse else None
        shape = (geometry.weight_shape or ()) if geometry else self.graph.shapes[first.subject][:1]
        held = self.graph.constraint(first.subject) if is_synapse else None
        return Learner(
            state=state,
            mode=first.mode,
            shape=shape,
            driven=bool(self._drives[state]),
            decay=first.decay,
            consolidation=first.consolidation,
            geometry=geometry,
            constraint=held,
            signs=signs_name(state.removeprefix("weights/")) if held and held.excitatory is not None else "",
        )


def _alone(plasticity: Plasticity) -> tuple[float, tuple[Term, ...]]:
    """Decay, and the other terms that read neither pre nor post."""
    return plasticity.decay, tuple(term for term in plasticity.terms if not (term.pre or term.post))
