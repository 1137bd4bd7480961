"""From compact to explicit: a learning system turns a bare forward topology into a circuit with both streams.

Nothing here knows any particular learning system. What a system says (pathway, whose weights, rules by mode) is
written out projection by projection; the cross-projections are those that its rules read and its pathway needs.
"""

from collections.abc import Iterator, Mapping

from . import names
from .crossing import cross_projections, reads_partner
from .declarations import (
    Circuit,
    IntrinsicRules,
    Kaiming,
    LearningMode,
    LearningSystem,
    Mode,
    Modulator,
    Population,
    Projection,
    Rule,
    Tie,
)
from .errors import CircuitError
from .graph import Graph, build_graph
from .inlining import flat
from .overrides import check_overrides, check_parameters
from .pathway import partnered
from .validation import build
from .wiring import Dense
from .writing import as_data
from .yamlfile import Document, Path_


def compact(circuit: Circuit) -> Circuit:
    """The same circuit with blocks and stages written out, its learning system still in one place."""
    return build(Circuit, flat(Document(as_data(circuit), circuit.name)))


def expand(circuit: Circuit) -> Circuit:
    """The explicit circuit: every population with its shape, every projection, cross-projection and rule.

    An explicit circuit expands to itself. Raises CircuitError with every structural problem.
    """
    return expand_document(circuit)[0]


def expand_document(
    circuit: Circuit, document: Document | None = None, *, strict: bool = False
) -> tuple[Circuit, Document]:
    """The explicit circuit, and the document that tells where each of its parts was written.

    `document`, where given, is what the circuit was built from and gives problems their place. With `strict`,
    parameters that no rule reads are refused; they may well be left over where a circuit got another learning system
    than its own.
    """
    document = flat(document or Document(as_data(circuit), circuit.name))
    written = build(Circuit, document).model_copy(update={"parameters": circuit.parameters})
    graph = build_graph(written, document)
    system = written.learning
    if isinstance(system, str):
        raise CircuitError(document.problem(f"learning '{system}' is a name: {_REMEDY}", ("learning",)))
    if system is None:
        return _written_out(graph, document), document
    if strict:
        check_parameters(written, system, document)
    expansion = _Expansion(graph, system, document)
    return expansion.circuit(), expansion.document()


_REMEDY = "give the system itself, or load the circuit with load(...) or with_learning(...)"


def _written_out(graph: Graph, document: Document) -> Circuit:
    """A circuit written by hand with shapes, gains and biases said, and a mode for data if it has none."""
    circuit = graph.circuit
    problems = [
        document.problem("learning by itself needs a circuit with a learning system", ("projections", index))
        for index, projection in enumerate(circuit.projections)
        if projection.learning is not None
    ]
    if problems:
        raise CircuitError(problems)
    populations = {name: _said(graph, name) for name in circuit.populations}
    has_data = any(not mode.isolates for mode in circuit.modes.values())
    modes = circuit.modes if has_data else {"engaged": Mode(), **circuit.modes}
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
    """Writes one learning system, and those of its overrides, into one forward graph."""

    def __init__(self, graph: Graph, system: LearningSystem, document: Document) -> None:
        self.graph = graph
        self.system = system
        self.source = document
        self.systems: dict[str, LearningSystem] = {}
        """By projection label."""
        self.places: dict[str, Path_] = {}
        """By projection label: where its learning system stands."""
        for index, (label, projection) in enumerate(graph.projections.items()):
            own = projection.learning
            self.systems[label] = own if isinstance(own, LearningSystem) else system
            self.places[label] = ("projections", index, "learning") if own is not None else ("learning",)
        check_overrides(graph.circuit, system, document)
        self.partnered = partnered(graph, system, self.systems)
        self.origins: dict[Path_, tuple[Document, Path_]] = {(): (document, ())}

    def document(self) -> Document:
        """Where each part of the explicit circuit was written."""
        return Document({}, self.source.file, origins=self.origins)

    def circuit(self) -> Circuit:
        """The explicit circuit."""
        circuit = self.graph.circuit
        direct = self.system.feedback.pathway == "direct"
        projections = [self._forward(index, p) for index, p in enumerate(circuit.projections)]
        for reverse, place in self._direct() if direct else self._reverses():
            for mode in reverse.rules:
                path = ("projections", len(projections), "rules", mode)
                self._say(path, (*place, "modes", mode, "feedback"))
            projections.append(reverse)
        populations = {name: self._population(name) for name in circuit.populations}
        if direct and self.system.feedback.sends == "target":
            populations |= dict(self._targets())
        for name in reversed(self.partnered):
            populations[names.partner(name)] = Population(partner=name, shape=self.graph.shapes[name])
        for name in self.system.parameters.keys() - circuit.parameters.keys():
            self._say(("parameters", name), ("learning", "parameters", name))
        bare = circuit.model_copy(
            update={
                "learning": None,
                "populations": populations,
                "projections": projections,
                "modes": {name: mode.mode() for name, mode in self._modes().items()},
                "modulators": self._modulators(),
                "parameters": {**self.system.parameters, **circuit.parameters},
                "system": self.system.name,
            }
        )
        return bare.model_copy(update={"cross": list(cross_projections(bare, self.graph))})

    def _modes(self) -> Mapping[str, LearningMode]:
        modes: dict[str, LearningMode] = {}
        for system in (self.system, *self.systems.values()):
            modes |= {name: mode for name, mode in system.modes.items() if name not in modes}
        has_data = any(not mode.isolates for mode in modes.values())
        return modes if has_data else {"engaged": LearningMode(), **modes}

    def _modulators(self) -> Mapping[str, Modulator]:
        modulators: dict[str, Modulator] = {}
        for system in (*self.systems.values(), self.system):
            modulators |= system.modulators
        return {**modulators, **self.graph.circuit.modulators}

    # ---- where things were written

    def _say(self, path: Path_, origin: Path_) -> None:
        self.origins[path] = (self.source, origin)

    # ---- populations

    def _population(self, name: str) -> Population:
        said, (system, place) = _said(self.graph, name), self._system_at(name)
        rules = {}
        for mode, plan in system.modes.items():
            written = IntrinsicRules(
                gain=plan.gain if self.graph.has_gain(name) and self._taught(name, plan.gain, system) else None,
                bias=plan.bias if self.graph.has_bias(name) and self._taught(name, plan.bias, system) else None,
            )
            if (written.gain or written.bias) and mode not in said.rules:
                rules[mode] = written
                self._say(("populations", name, "rules", mode), (*place, "modes", mode))
        own = system.parameters if rules and system is not self.system else {}
        return said.model_copy(update={"rules": {**rules, **said.rules}, "parameters": {**own, **said.parameters}})

    def _system_at(self, name: str) -> tuple[LearningSystem, Path_]:
        """Whose rules its gains and biases have: those of its synapses where they agree, else the circuit's."""
        inputs = [label for label in self.graph.into(name) if self.graph.weighted(label)]
        if inputs and all(self.systems[label] == self.systems[inputs[0]] for label in inputs):
            return self.systems[inputs[0]], self.places[inputs[0]]
        return self.system, ("learning",)

    def _taught(self, name: str, rule: Rule | None, system: LearningSystem) -> bool:
        """Whether a rule of `name` can be read: one that asks for a partner needs a population that has one."""
        if rule is None:
            return False
        parameters = frozenset((*system.parameters, *self.graph.circuit.parameters))
        return name in self.partnered or not reads_partner(rule.dw, parameters, frozenset(self._modulators()))

    # ---- projections

    def _parameters_of(self, label: str) -> dict[str, float]:
        system = self.systems[label]
        own = system.parameters if system is not self.system else {}
        return {**own, **self.graph.projections[label].parameters}

    def _forward(self, index: int, projection: Projection) -> Projection:
        label = projection.label
        update: dict[str, object] = {"name": label, "learning": None, "parameters": self._parameters_of(label)}
        self._say(("projections", index), ("projections", index))
        if self.graph.weighted(label) and projection.plastic:
            plans = self.systems[label].modes
            rules = {
                mode: plan.forward for mode, plan in plans.items() if plan.forward and mode not in projection.rules
            }
            for mode in rules:
                self._say(("projections", index, "rules", mode), (*self.places[label], "modes", mode, "forward"))
            update["rules"] = {**rules, **projection.rules}
        return projection.model_copy(update=update)

    def _reverses(self) -> Iterator[tuple[Projection, Path_]]:
        """The reverse of every projection between partnered populations, last first: the order in which errors run.

        With each, where the learning system stands that its rules come from.
        """
        for projection in reversed(self.graph.circuit.projections):
            label = projection.label
            if not {projection.source, projection.target} <= set(self.partnered):
                continue
            if self.systems[label].feedback.pathway == "none":
                continue
            reverse = Projection.model_validate(
                {
                    "name": names.reverse(label),
                    "from": names.partner(projection.target),
                    "to": names.partner(projection.source),
                    "reverse_of": label,
                }
            )
            yield (
                (self._own_weights(reverse, projection) if self.graph.weighted(label) else reverse),
                self.places[label],
            )

    def _own_weights(self, reverse: Projection, projection: Projection) -> Projection:
        label = projection.label
        update: dict[str, object] = {"initial": projection.initial, "plastic": projection.plastic}
        feedback = self.systems[label].feedback
        tie = feedback.weights
        if not projection.plastic:  # a constant reverses exactly, as a pool does
            tie = "transpose_of"
        if tie == "independent":
            plans = self.systems[label].modes
            update["rules"] = {mode: plan.feedback for mode, plan in plans.items() if plan.feedback}
            update["parameters"] = self._parameters_of(label)
            update["bounds"] = projection.bounds
        else:
            how_large = {"magnitude": feedback.magnitude} if tie == "sign_of" else {}
            update["weights"] = Tie.model_validate({tie: label, **how_large})
            if feedback.magnitude != "fan_out" and projection.initial.spread(1, 1).rms == 0:
                update["initial"] = Kaiming()  # through synapses of no magnitude no error would ever pass
        return reverse.model_copy(update=update)

    def _targets(self) -> Iterator[tuple[str, Population]]:
        """Populations that carry the targets of the outputs."""
        for output in self.graph.outputs:
            name = names.target(output)
            if name in self.graph.populations:
                message = f"'{self.system.name}' needs the name '{name}' for what carries the target of '{output}'"
                raise CircuitError(self.source.problem(f"{message}: choose another", ("populations", name)))
            yield name, Population(target=output)

    def _direct(self) -> Iterator[tuple[Projection, Path_]]:
        """From each output's error, or its target, to every other population that learns."""
        shared = self.system.feedback.onto_maps == "shared"
        rules = {mode: plan.feedback for mode, plan in self.system.modes.items() if plan.feedback}
        sender = names.target if self.system.feedback.sends == "target" else names.partner
        for output in self.graph.outputs:
            for name in self.partnered:
                if name in self.graph.outputs:
                    continue
                on_maps = len(self.graph.shapes[name]) == 3
                direct = Projection.model_validate(
                    {
                        "name": names.arrow(sender(output), names.partner(name)),
                        "from": sender(output),
                        "to": names.partner(name),
                    }
                )
                direct = direct.model_copy(update={"wiring": Dense(shared=on_maps and shared), "rules": rules})
                yield direct, ("learning",)
