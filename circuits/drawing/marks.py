"""What is told of each projection by mark and color: its rules, fixed weights, weight transport."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from ..graph import Graph
from ..locality import LocalityReport, prove
from ..plasticity import Plasticity, mode_constants, read_plasticity
from ..rules import to_text
from ..rules.expression import Parameter, walk
from .style import RULE_COLORS

TIES = {"transpose_of": "W\u1d40", "sign_of": "±W", "same_as": "= W"}
"""Tie -> what stands on its mark."""


@dataclass(frozen=True)
class Pill:
    """A small mark. `color` is a role of `style.COLORS`; an `empty` one is an outline."""

    text: str
    color: str
    empty: bool = False
    tip: str = ""


@dataclass(frozen=True)
class Mark:
    """How a projection is drawn: its marks, its color (a role), and whether it is a synapse that has weights."""

    pills: tuple[Pill, ...]
    color: str
    weighted: bool


@dataclass
class RuleEntry:
    """A rule of the legend: one equation in one mode, and all that learn by it."""

    letter: str
    kind: str
    mode: str
    equation: str
    positions: str
    pill: Pill
    subjects: list[str] = field(default_factory=list)
    parameters: dict[str, set[float]] = field(default_factory=dict)


class Marks:
    """The marks of an explicit circuit. Raises CircuitError where it does not hold together."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.rules: dict[tuple[str, str, str, str], RuleEntry] = {}
        """(kind, mode, equation, positions) -> its entry, synapses' first."""
        self._synaptic: dict[str, list[RuleEntry]] = {}
        self._intrinsic: dict[str, list[RuleEntry]] = {}
        found = read_plasticity(graph)
        for plasticity in sorted(found, key=self._rank):  # stable: else in the order of the circuit
            entry = self._entry(plasticity)
            where = self._synaptic if plasticity.kind == "weights" else self._intrinsic
            where.setdefault(plasticity.subject, []).append(entry)

    @cached_property
    def report(self) -> LocalityReport:
        """The locality proof of the circuit."""
        return prove(self.graph.circuit)

    @cached_property
    def transported(self) -> Mapping[str, str]:
        """Projection that is part of weight transport -> why."""
        return {subject: finding.message for subject, finding in self.report.violations if finding.kind == "transport"}

    def _rank(self, plasticity: Plasticity) -> int:
        if plasticity.kind == "weights":
            return int(self.graph.is_feedback(plasticity.subject))
        return 2 if plasticity.kind == "gain" else 3

    def _entry(self, plasticity: Plasticity) -> RuleEntry:
        equation = to_text(plasticity.expression)
        key = (plasticity.kind, plasticity.mode, equation, plasticity.rule.positions)
        if key not in self.rules:
            letter, tip = _letter(len(self.rules)), f"{_drive(plasticity.kind)} = {equation} ({plasticity.mode})"
            synaptic = sum(entry.kind == "weights" for entry in self.rules.values())
            color = RULE_COLORS[synaptic % len(RULE_COLORS)] if plasticity.kind == "weights" else "muted"
            pill = Pill(letter, color, empty=plasticity.kind != "weights", tip=tip)
            self.rules[key] = RuleEntry(letter, *key, pill)
        entry = self.rules[key]
        entry.subjects.append(plasticity.subject)
        for name, value in self._parameters(plasticity).items():
            entry.parameters.setdefault(name, set()).add(value)
        return entry

    def _parameters(self, plasticity: Plasticity) -> dict[str, float]:
        circuit, subject = self.graph.circuit, plasticity.subject
        if plasticity.kind == "weights":
            constants = mode_constants(self.graph, subject, circuit.modes[plasticity.mode])
            known = {**circuit.parameters, **constants, **self.graph.projections[subject].parameters}
        else:
            known = {**circuit.parameters, **circuit.populations[subject].parameters}
        read = {part.name for part in walk(plasticity.expression) if isinstance(part, Parameter)}
        return {name: known[name] for name in sorted(read) if name in known}

    def of_projection(self, label: str) -> Mark:
        """The mark of a projection."""
        projection = self.graph.projections[label]
        if not self.graph.weighted(label):
            return Mark((), "plain", False)
        learned = tuple(entry.pill for entry in self._synaptic.get(label, ()))
        if (why := self.transported.get(label)) is not None:
            kind = projection.tie.kind if projection.tie else "same_as"
            return Mark((Pill(TIES[kind], "transport", tip=f"weight transport: {why}"), *learned), "transport", True)
        if learned:
            return Mark(learned, learned[0].color, True)
        constant = f" ({TIES[projection.tie.kind]})" if projection.tie else ""
        tip = f"weights that no rule changes{constant}"
        return Mark((Pill("fixed", "fixed", empty=True, tip=tip),), "fixed", True)

    def of_population(self, name: str) -> tuple[Pill, ...]:
        """The marks of the rules of a population's gains and biases."""
        return tuple(entry.pill for entry in self._intrinsic.get(name, ()))

    def weights_text(self, label: str) -> str:
        """Whose weights a feedback projection has, in words."""
        projection = self.graph.projections[label]
        if tie := projection.tie:
            return {"transpose_of": "W transposed", "sign_of": "signs of W", "same_as": "shared weights"}[tie.kind]
        return "own weights" if label in self._synaptic else "fixed weights"


def _letter(index: int) -> str:
    """A, B, ..., Z, A2, B2, ..."""
    turn, letter = divmod(index, 26)
    return chr(ord("A") + letter) + (str(turn + 1) if turn else "")


def _drive(kind: str) -> str:
    return "dw" if kind == "weights" else f"d {kind}"
