"""From compact to explicit: a learning system turns a bare forward topology into a circuit with both streams.

Nothing here knows any particular learning system. What a system says (pathway, whose weights, rules by mode) is
written out projection by projection; the cross-projections are those that its rules read and its pathway needs.
"""

from .assignment import Assignment
from .crossing import cross_projections, reads_partner
from .declarations import Circuit, IntrinsicRules, LearningSystem, Population, Projection, Rule
from .errors import CircuitError
from .explicit import in_words, written_out
from .feedback import Feedback
from .graph import Graph, build_graph
from .inlining import flat
from .overrides import check_overrides, check_parameters
from .pathway import partnered
from .validation import build
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
        return written_out(graph, document), document
    if strict:
        check_parameters(written, system, document)
    expansion = _Expansion(graph, system, document)
    return expansion.circuit(), expansion.document()


_REMEDY = "give the system itself, or load the circuit with load(...) or with_learning(...)"


class _Expansion:
    """Writes one learning system, and those of its overrides, into one forward graph."""

    def __init__(self, graph: Graph, system: LearningSystem, document: Document) -> None:
        self.graph = graph
        self.system = system
        self.source = document
        self.assigned = Assignment(graph, system)
        check_overrides(graph.circuit, system, document)
        self.partnered = partnered(graph, system, self.assigned.systems)
        self.feedback = Feedback(self.assigned, self.partnered, document)
        self.origins: dict[Path_, tuple[Document, Path_]] = {(): (document, ())}

    def document(self) -> Document:
        """Where each part of the explicit circuit was written."""
        return Document({}, self.source.file, origins=self.origins)

    def circuit(self) -> Circuit:
        """The explicit circuit."""
        circuit = self.graph.circuit
        projections = [self._forward(index, p) for index, p in enumerate(circuit.projections)]
        for reverse, place in self.feedback.projections():
            for mode in reverse.rules:
                path = ("projections", len(projections), "rules", mode)
                self._say(path, (*place, "modes", mode, "feedback"))
            projections.append(reverse)
        populations = {name: self._population(name) for name in circuit.populations}
        populations |= dict(self.feedback.populations())
        for name in self.system.parameters.keys() - circuit.parameters.keys():
            self._say(("parameters", name), ("learning", "parameters", name))
        bare = circuit.model_copy(
            update={
                "learning": None,
                "populations": populations,
                "projections": projections,
                "modes": {name: mode.mode() for name, mode in self.assigned.modes().items()},
                "modulators": self.assigned.modulators(),
                "parameters": {**self.system.parameters, **circuit.parameters},
                "system": self.system.name,
            }
        )
        return bare.model_copy(update={"cross": list(cross_projections(bare, self.graph))})

    # ---- where things were written

    def _say(self, path: Path_, origin: Path_) -> None:
        self.origins[path] = (self.source, origin)

    # ---- populations

    def _population(self, name: str) -> Population:
        said, (system, place) = in_words(self.graph, name), self.assigned.of_population(name)
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

    def _taught(self, name: str, rule: Rule | None, system: LearningSystem) -> bool:
        """Whether a rule of `name` can be read: one that asks for a partner needs a population that has one."""
        if rule is None:
            return False
        parameters = frozenset((*system.parameters, *self.graph.circuit.parameters))
        return name in self.partnered or not reads_partner(rule.dw, parameters, frozenset(self.assigned.modulators()))

    # ---- projections

    def _forward(self, index: int, projection: Projection) -> Projection:
        label = projection.label
        update: dict[str, object] = {"name": label, "learning": None, "parameters": self.assigned.parameters(label)}
        self._say(("projections", index), ("projections", index))
        if self.graph.weighted(label) and projection.plastic:
            plans = self.assigned.systems[label].modes
            rules = {
                mode: plan.forward for mode, plan in plans.items() if plan.forward and mode not in projection.rules
            }
            for mode in rules:
                self._say(
                    ("projections", index, "rules", mode), (*self.assigned.places[label], "modes", mode, "forward")
                )
            update["rules"] = {**rules, **projection.rules}
        return projection.model_copy(update=update)
