"""Which synapses learn, when, and by what: every rule of an explicit circuit, read and brought into normal form."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from .declarations import Circuit, Mode, Population, Rule
from .errors import CircuitError, Location, Problem, Problems, suggest
from .graph import Graph
from .rules import NOISE, REVERSE, Expression, Term, normal_form, parse_rule, reads, split_decay
from .transfers import TRANSFERS
from .yamlfile import Document, Path_

MODE_CONSTANTS = ("variance", "slope")
"""Parameters that a mode with noise supplies: the noise's variance, and the driven population's slope."""


@dataclass(frozen=True, kw_only=True)
class Plasticity:
    """One rule at work: `subject` is a projection's label, or a population's name for its gain or bias."""

    subject: str
    kind: Literal["weights", "gain", "bias"]
    mode: str
    rule: Rule
    expression: Expression
    terms: tuple[Term, ...]
    """The separable terms of the drive, without decay."""
    decay: float
    """lambda of the terms -lambda w, which consolidation applies."""
    consolidation: Literal["common", "addition"]


def answer_of(graph: Graph, label: str, mode: Mode) -> str:
    """The transfer function through which the neurons that a projection drives answer, when it is run by itself.

    Their own with `answers: rate`, and none (linear) at the soma. Outputs whose loss looks at the logits answer at
    their logits.
    """
    projection = graph.projections[label]
    driven = graph.projections[projection.reverse_of].target if projection.reverse_of else projection.target
    population = graph.populations[driven]
    return "linear" if answers_linearly(population, mode) else population.transfer


def answers_linearly(population: Population, mode: Mode) -> bool:
    """Whether driven neurons answer at their soma, rather than through their transfer function."""
    return mode.answers == "soma" or population.output_loss in ("cross_entropy", "binary_cross_entropy")


def mode_constants(graph: Graph, label: str, mode: Mode) -> dict[str, float]:
    """`variance` in a mode with noise and, where projections run one at a time and it is a constant, `slope`."""
    if mode.noise is None:
        return {}
    if not mode.isolates:
        return {"variance": mode.noise.variance}
    slope = TRANSFERS[answer_of(graph, label, mode)].slope
    return {"variance": mode.noise.variance} | ({} if slope is None else {"slope": slope})


def read_plasticity(graph: Graph, document: Document | None = None) -> tuple[Plasticity, ...]:
    """Every rule of an explicit circuit in normal form. Raises CircuitError with all rules that cannot be read."""
    reader = _Reader(graph, document or Document({}))
    found = tuple(reader.all())
    reader.problems.stop()
    return found


class _Reader:
    def __init__(self, graph: Graph, document: Document) -> None:
        self.graph = graph
        self.circuit: Circuit = graph.circuit
        self.document = document
        self.problems = Problems()

    def all(self) -> Iterator[Plasticity]:
        for index, projection in enumerate(self.circuit.projections):
            for mode, rule in projection.rules.items():
                yield from self._synapses(projection.label, mode, rule, ("projections", index, "rules", mode))
        for name, population in self.circuit.populations.items():
            for mode, rules in population.rules.items():
                for kind in ("gain", "bias"):
                    rule = getattr(rules, kind)
                    if rule is not None:
                        yield from self._intrinsic(name, kind, mode, rule, ("populations", name, "rules", mode, kind))

    def _synapses(self, label: str, mode: str, rule: Rule, path: Path_) -> Iterator[Plasticity]:
        projection = self.graph.projections[label]
        if not self.graph.weighted(label):
            self._complain(f"'{label}' has no weights to learn ({self.graph.geometries[label].wiring.kind})", path)
        elif projection.tie and projection.tie.kind != "same_as":
            self._complain(f"'{label}' has no weights of its own: {projection.tie.kind} {projection.tie.owner}", path)
        elif projection.plastic and self._known(mode, path):
            constants = mode_constants(self.graph, label, self.circuit.modes[mode])
            parameters = {**self.circuit.parameters, **constants, **projection.parameters}
            yield from self._read(label, "weights", mode, rule, parameters, path)

    def _intrinsic(
        self, name: str, kind: Literal["gain", "bias"], mode: str, rule: Rule, path: Path_
    ) -> Iterator[Plasticity]:
        if not (self.graph.has_gain(name) if kind == "gain" else self.graph.has_bias(name)):
            self._complain(f"'{name}' has no {kind}", path)
        elif self._known(mode, path):
            if self.circuit.modes[mode].isolates:
                self._complain(f"gains and biases stand still in '{mode}', which runs one projection at a time", path)
            noise = self.circuit.modes[mode].noise
            constants = {} if noise is None else {"variance": noise.variance}
            parameters = {**self.circuit.parameters, **constants, **self.circuit.populations[name].parameters}
            yield from self._read(name, kind, mode, rule, parameters, path)

    def _known(self, mode: str, path: Path_) -> bool:
        if mode not in self.circuit.modes:
            self._complain(f"unknown mode '{mode}'. {suggest(mode, self.circuit.modes, 'modes')}", path)
        return mode in self.circuit.modes

    def _read(
        self,
        subject: str,
        kind: Literal["weights", "gain", "bias"],
        mode: str,
        rule: Rule,
        parameters: Mapping[str, float],
        path: Path_,
    ) -> Iterator[Plasticity]:
        scope: Literal["synapse", "intrinsic"] = "synapse" if kind == "weights" else "intrinsic"
        try:
            expression = parse_rule(
                rule.dw,
                kind=scope,
                parameters=parameters.keys(),
                modulators=self.circuit.modulators.keys(),
                noise=self.circuit.modes[mode].noise is not None,
                location=self.document.text_location(path) or self.document.text_location((*path, "dw")) or Location(),
            )
            whole = normal_form(expression, parameters, kind=scope)
            self._check_reads(subject, mode, expression)
        except CircuitError as error:
            place = self.document.problem("", path)
            self.problems.extend(error.located(place.location, place.path).problems)
            return
        terms, decay = split_decay(whole)
        usual: Literal["common", "addition"] = "addition" if self.circuit.modes[mode].isolates else "common"
        yield Plasticity(
            subject=subject,
            kind=kind,
            mode=mode,
            rule=rule,
            expression=expression,
            terms=terms,
            decay=decay,
            consolidation=rule.consolidation or usual,
        )

    def _check_reads(self, subject: str, mode: str, expression: Expression) -> None:
        """Raise CircuitError for what the rule reads and the circuit does not have."""
        for signal in sorted(reads(expression), key=str):
            if signal == REVERSE and subject not in self.graph.reverses:
                raise CircuitError(Problem(f"the rule reads {signal}, but '{subject}' has no reverse"))
            jitters = self.circuit.modes[mode].injects is not None and signal.compartment == NOISE
            if jitters and signal.side in ("pre", "post"):
                end = self.graph.end(subject, signal.side)
                if self.graph.populations[end].is_source:
                    raise CircuitError(Problem(f"the rule reads {signal}, but '{end}' is a source, which has no noise"))
            modulator = self.circuit.modulators[signal.compartment] if signal.side == "mod" else None
            if modulator is None or modulator.of is None:
                continue
            if not self.graph.outputs:
                raise CircuitError(Problem(f"{signal} is made of the loss, but no population has one: say loss: ..."))
            if modulator.baseline == "noiseless" and self.circuit.modes[mode].injects is None:
                compares = f"{signal} compares the loss with that of a noiseless pass"
                remedy = "say injects: {noise: normal, scale: ...} in the mode"
                raise CircuitError(Problem(f"{compares}, but mode '{mode}' injects no noise: {remedy}"))

    def _complain(self, message: str, path: Path_) -> None:
        self.problems.add(self.document.problem(message, path))
