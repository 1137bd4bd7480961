"""From compact to explicit: a learning system turns a bare forward topology into a circuit with both streams.

Nothing here knows any particular learning system. What a system says (pathway, whose weights, rules by mode) is written out
projection by projection; the cross-projections are those that its rules read and its pathway needs.
"""

from collections.abc import Iterator

from . import names
from .crossing import cross_projections, reads_partner
from .declarations import (
    Circuit,
    IntrinsicRules,
    LearningMode,
    LearningSystem,
    Mode,
    Population,
    Projection,
    Rule,
    Tie,
)
from .errors import CircuitError, Problem
from .graph import Graph, build_graph
from .inlining import flat
from .validation import build
from .wiring import Dense
from .writing import as_data
from .yamlfile import Document


def expand(circuit: Circuit, document: Document | None = None) -> Circuit:
    """The explicit circuit: every population with its shape, every projection, cross-projection and rule.

    An explicit circuit expands to itself. Raises CircuitError with every structural problem; `document`, where given, is
    the file that the circuit was read from and gives problems their place.
    """
    flat_document = flat(document or Document(as_data(circuit), circuit.name))
    flat_circuit = build(Circuit, flat_document)
    system = circuit.learning if isinstance(circuit.learning, LearningSystem) else flat_circuit.learning
    if isinstance(system, str):
        raise CircuitError(
            flat_document.problem(
                f"learning '{system}' is a name: give it with load(...) or with_learning(...)", ("learning",)
            )
        )
    flat_circuit = flat_circuit.model_copy(update={"learning": system, "projections": _resolved(flat_circuit, circuit)})
    graph = build_graph(flat_circuit, flat_document)
    return _written_out(graph) if system is None else _Expansion(graph, system, flat_document).circuit()


def _resolved(flat_circuit: Circuit, circuit: Circuit) -> list[Projection]:
    """The projections, their learning systems taken from `circuit`, where loading has put systems in place of names."""
    known = {p.label: p.learning for p in circuit.projections if p.learning is not None}
    return [
        p.model_copy(update={"learning": known[p.label]}) if p.label in known else p for p in flat_circuit.projections
    ]


def _written_out(graph: Graph) -> Circuit:
    """The same circuit with shapes, gains and biases said, and a mode for data if it has none."""
    circuit = graph.circuit
    populations = {name: _said(graph, name) for name in circuit.populations}
    modes = (
        circuit.modes
        if any(not mode.isolates for mode in circuit.modes.values())
        else {"engaged": Mode(), **circuit.modes}
    )
    projections = [p.model_copy(update={"name": p.label}) for p in circuit.projections]
    return circuit.model_copy(update={"populations": populations, "modes": modes, "projections": projections})


def _said(graph: Graph, name: str) -> Population:
    """A population with everything that follows from the graph said in words."""
    population = graph.populations[name]
    if population.is_source:
        return population
    if population.is_feedback:
        return population.model_copy(update={"shape": graph.shapes[name]})
    return population.model_copy(
        update={
            "shape": graph.shapes[name],
            "gain": graph.has_gain(name),
            "bias": graph.has_bias(name),
            "loss": population.output_loss,
        }
    )


class _Expansion:
    """Writes one learning system into one forward graph."""

    def __init__(self, graph: Graph, system: LearningSystem, document: Document) -> None:
        self.graph = graph
        self.system = system
        self.document = document
        self.partnered = self._with_partner()
        self.check()

    def check(self) -> None:
        circuit, problems = self.graph.circuit, list[Problem]()
        if circuit.cross or circuit.modes or self.graph.feedback:
            problems.append(
                self.document.problem(
                    "a circuit has a learning system or declares feedback populations, cross and modes by hand, not both",
                    ("learning",),
                )
            )
        for index, projection in enumerate(circuit.projections):
            own = projection.learning
            if isinstance(own, str):
                problems.append(
                    self.document.problem(
                        f"learning '{own}' is a name: give it with load(...)", ("projections", index, "learning")
                    )
                )
            elif own and own.feedback.pathway not in (self.system.feedback.pathway, "none"):
                problems.append(
                    self.document.problem(
                        f"one circuit has one pathway: '{own.name}' needs {own.feedback.pathway}, "
                        f"'{self.system.name}' has {self.system.feedback.pathway}",
                        ("projections", index, "learning"),
                    )
                )
        if problems:
            raise CircuitError(problems)

    # ---- who has a partner

    def _with_partner(self) -> tuple[str, ...]:
        """Forward populations that errors reach, outputs included."""
        pathway = self.system.feedback.pathway
        if pathway == "none":
            return ()
        if pathway == "direct":
            chosen = {name for name in self.graph.forward if self.graph.learns(name)} | set(self.graph.outputs)
        else:
            chosen = self._leading_to_outputs()
        return tuple(n for n in self.graph.forward if n in chosen and not self.graph.populations[n].is_source)

    def _leading_to_outputs(self) -> set[str]:
        reached, pending = set[str](), list(self.graph.outputs)
        while pending:
            name = pending.pop()
            if name not in reached:
                reached.add(name)
                pending.extend(self.graph.projections[label].source for label in self.graph.into(name))
        return reached

    # ---- the whole

    def circuit(self) -> Circuit:
        circuit = self.graph.circuit
        forward = [self._forward(projection) for projection in self._in_order()]
        feedback = list(self._direct() if self.system.feedback.pathway == "direct" else self._reverses())
        populations = {name: self._population(name) for name in self.graph.forward}
        populations |= {
            names.partner(name): Population(partner=name, shape=self.graph.shapes[name])
            for name in reversed(self.partnered)
        }
        modes = {name: mode.mode() for name, mode in self._modes()}
        bare = circuit.model_copy(
            update={
                "learning": None,
                "populations": populations,
                "projections": [*forward, *feedback],
                "modes": modes,
                "parameters": {**self.system.parameters, **circuit.parameters},
                "system": self.system.name,
            }
        )
        return bare.model_copy(update={"cross": list(cross_projections(bare, self.graph))})

    def _in_order(self) -> list[Projection]:
        """The forward projections in the order in which activity passes."""
        place = {name: index for index, name in enumerate(self.graph.forward)}
        return sorted(self.graph.circuit.projections, key=lambda p: place[p.target])

    def _modes(self) -> Iterator[tuple[str, LearningMode]]:
        systems = [
            self.system,
            *(p.learning for p in self.graph.circuit.projections if isinstance(p.learning, LearningSystem)),
        ]
        seen: dict[str, LearningMode] = {}
        for system in systems:
            for name, mode in system.modes.items():
                if name not in seen:
                    seen[name] = mode
                    yield name, mode
        if all(mode.isolates for mode in seen.values()):
            yield "engaged", LearningMode()

    def _system_of(self, projection: Projection) -> LearningSystem:
        return projection.learning if isinstance(projection.learning, LearningSystem) else self.system

    def _parameters_of(self, projection: Projection) -> dict[str, float]:
        own = projection.learning.parameters if isinstance(projection.learning, LearningSystem) else {}
        return {**own, **projection.parameters}

    def _population(self, name: str) -> Population:
        said = _said(self.graph, name)
        rules = {}
        for mode, plan in self.system.modes.items():
            written = IntrinsicRules(
                gain=plan.gain if self.graph.has_gain(name) and self._taught(name, plan.gain) else None,
                bias=plan.bias if self.graph.has_bias(name) and self._taught(name, plan.bias) else None,
            )
            if written.gain or written.bias:
                rules[mode] = written
        return said.model_copy(update={"rules": {**rules, **said.rules}})

    def _taught(self, name: str, rule: Rule | None) -> bool:
        """Whether a rule of `name` can be read: one that asks for a partner needs a population that has one."""
        if rule is None:
            return False
        return name in self.partnered or not reads_partner(rule.dw, frozenset(self.system.parameters))

    def _forward(self, projection: Projection) -> Projection:
        system = self._system_of(projection)
        update = {"name": projection.label, "learning": None, "parameters": self._parameters_of(projection)}
        if self.graph.weighted(projection.label) and projection.plastic and not projection.tie:
            rules = {mode: plan.forward for mode, plan in system.modes.items() if plan.forward}
            update["rules"] = {**rules, **projection.rules}
        return projection.model_copy(update=update)

    def _reverses(self) -> Iterator[Projection]:
        """The reverse of every projection between partnered populations, last first: the order in which errors run."""
        for projection in reversed(self._in_order()):
            if not {projection.source, projection.target} <= set(self.partnered):
                continue
            system, label = self._system_of(projection), projection.label
            reverse = Projection.model_validate(
                {
                    "name": names.reverse(label),
                    "from": names.partner(projection.target),
                    "to": names.partner(projection.source),
                    "reverse_of": label,
                }
            )
            yield self._own_weights(reverse, projection, system) if self.graph.weighted(label) else reverse

    def _own_weights(self, reverse: Projection, projection: Projection, system: LearningSystem) -> Projection:
        update: dict[str, object] = {"initial": projection.initial, "plastic": projection.plastic}
        tie = system.feedback.weights
        if tie == "independent":
            update["rules"] = {mode: plan.feedback for mode, plan in system.modes.items() if plan.feedback}
            update["parameters"] = self._parameters_of(projection)
        else:
            update["weights"] = Tie.model_validate({tie: projection.label})
        return reverse.model_copy(update=update)

    def _direct(self) -> Iterator[Projection]:
        """From each output's error to every other population that learns."""
        shared = self.system.feedback.onto_maps == "shared"
        for output in self.graph.outputs:
            for name in self.partnered:
                if name in self.graph.outputs:
                    continue
                on_maps = len(self.graph.shapes[name]) == 3
                rules = {mode: plan.feedback for mode, plan in self.system.modes.items() if plan.feedback}
                direct = Projection.model_validate(
                    {
                        "name": names.arrow(names.partner(output), names.partner(name)),
                        "from": names.partner(output),
                        "to": names.partner(name),
                    }
                )
                yield direct.model_copy(update={"wiring": Dense(shared=on_maps and shared), "rules": rules})
