"""The graph of a circuit without blocks: who projects to whom, in which order, with which shapes.

Everything structural is checked here, all problems at once: names, ends, partners, reverses, ties, cycles, shapes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod

from . import names
from .constraints import Constraint, complaints, constraint
from .declarations import Circuit, CrossProjection, LearningSystem, Mixture, Population, Projection
from .errors import Problems, suggest
from .topology import CycleError, topological_order
from .transfers import TRANSFERS
from .wiring import MAXIMAL_NEURONS, MAXIMAL_WEIGHTS, Geometry, OneToOne, Shape, Wiring, WiringError
from .yamlfile import Document, Path_


@dataclass(frozen=True)
class Graph:
    """A circuit with its order and shapes. Names are as declared; projections are keyed by label."""

    circuit: Circuit
    projections: Mapping[str, Projection]
    forward: tuple[str, ...]
    """Forward populations, sources first."""
    feedback: tuple[str, ...]
    """Feedback populations, in the order in which errors reach them."""
    shapes: Mapping[str, Shape]
    geometries: Mapping[str, Geometry]
    """By projection label. A reverse has its original's."""

    @property
    def populations(self) -> Mapping[str, Population]:
        return self.circuit.populations

    @cached_property
    def partners(self) -> Mapping[str, str]:
        """Forward population -> its feedback partner."""
        return {p.partner: name for name, p in self.populations.items() if p.partner is not None}

    @cached_property
    def _into(self) -> Mapping[str, tuple[str, ...]]:
        into: dict[str, tuple[str, ...]] = dict.fromkeys(self.populations, ())
        for label, projection in self.projections.items():
            into[projection.target] += (label,)
        return into

    def into(self, population: str) -> tuple[str, ...]:
        """Labels of the projections onto a population, in the order of the file."""
        return self._into[population]

    @cached_property
    def _cross(self) -> Mapping[str, tuple[CrossProjection, ...]]:
        cross: dict[str, tuple[CrossProjection, ...]] = dict.fromkeys(self.populations, ())
        for found in self.circuit.cross:
            cross[found.target] += (found,)
        return cross

    def cross_onto(self, population: str) -> tuple[CrossProjection, ...]:
        """Cross-projections onto a population, in the order of the file."""
        return self._cross[population]

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        """Forward populations with a loss."""
        return tuple(name for name in self.forward if self.populations[name].output_loss)

    def end(self, label: str, side: str) -> str:
        """The population at one side, `pre` or `post`, of a projection's synapses."""
        projection = self.projections[label]
        return projection.source if side == "pre" else projection.target

    @cached_property
    def reverses(self) -> Mapping[str, str]:
        """Projection -> the one that runs the other way between the partners, where it has one. Both directions."""
        pairs = [(label, p.reverse_of) for label, p in self.projections.items() if p.reverse_of is not None]
        return {**{original: label for label, original in pairs}, **dict(pairs)}

    def is_feedback(self, label: str) -> bool:
        """True for a projection onto a feedback population."""
        return self.populations[self.projections[label].target].is_feedback

    def weighted(self, label: str) -> bool:
        """True where a projection has weights."""
        return self.geometries[label].wiring.weighted

    def has_gain(self, name: str) -> bool:
        """Whether a population has gains (its default is to have them where it normalizes)."""
        population = self.populations[name]
        return population.normalizes if population.gain is None else population.gain

    def has_bias(self, name: str) -> bool:
        """Whether a population has biases.

        Default: where it normalizes, or has weighted inputs and a nonlinear transfer or a loss.
        """
        population = self.populations[name]
        if population.bias is not None:
            return population.bias
        if population.is_source or population.is_feedback:
            return False
        answers = population.transfer != "linear" or population.output_loss is not None
        return population.normalizes or (answers and any(self.weighted(label) for label in self.into(name)))

    def constraint(self, label: str) -> Constraint | None:
        """What the weights of a projection may be; None where that is anything."""
        projection = self.projections[label]
        return constraint(projection, self.populations[projection.source], self.shapes[projection.source])

    def learns(self, name: str) -> bool:
        """True where a population has plastic afferents, a gain or a bias."""
        plastic = any(self.weighted(label) and self.projections[label].plastic for label in self.into(name))
        return plastic or self.has_gain(name) or self.has_bias(name)


def build_graph(circuit: Circuit, document: Document | None = None) -> Graph:
    """Check a circuit without blocks and lay it out. Raises CircuitError with every problem found."""
    checker = _Checker(circuit, document or Document({}))
    checker.check_populations()
    checker.check_projections()
    checker.check_cross()
    checker.check_parameters()
    checker.check_mode_names()
    checker.stop_if_wrong()
    forward, feedback = checker.order()
    checker.stop_if_wrong()
    checker.infer_shapes(forward)
    checker.check_shapes()
    checker.stop_if_wrong()
    graph = Graph(circuit, checker.projections, forward, feedback, checker.shapes, checker.geometries)
    checker.check_initials(graph)
    checker.stop_if_wrong()
    return graph


class _Checker:
    def __init__(self, circuit: Circuit, document: Document) -> None:
        self.circuit = circuit
        self.document = document
        self.populations = circuit.populations
        self.projections: dict[str, Projection] = {}
        self.places: dict[str, Path_] = {}
        self.shapes: dict[str, Shape] = {}
        self.geometries: dict[str, Geometry] = {}
        self.problems = Problems()

    def complain(self, message: str, *path: str | int) -> None:
        self.problems.add(self.document.problem(message, path))

    def stop_if_wrong(self) -> None:
        self.problems.stop()

    # ---- populations

    def check_populations(self) -> None:
        if not self.populations:
            self.complain("a circuit must have at least one population", "populations")
        taken: dict[str, str] = {}
        for name, population in self.populations.items():
            path = ("populations", name)
            if wrong := names.complaint(name):
                self.complain(wrong, *path)
            elif name.endswith(names.PARTNER) and not population.is_feedback:
                self.complain(f"a name that ends with '{names.PARTNER}' belongs to a feedback population", *path)
            self._check_kind(population, path)
            self._check_target(population, path)
            self._check_output(population, path)
            if population.transfer not in TRANSFERS:
                hint = suggest(population.transfer, TRANSFERS, "transfer functions")
                self.complain(f"unknown transfer function '{population.transfer}'. {hint}", *path, "transfer")
            if population.partner is not None:
                self._check_partner(name, population.partner, taken)

    def _check_kind(self, population: Population, path: Path_) -> None:
        kinds = [kind for kind in ("input", "target", "partner") if getattr(population, kind) is not None]
        if len(kinds) > 1:
            self.complain(f"a population is one of input, target, feedback partner (got {' and '.join(kinds)})", *path)
        elif kinds:
            shaped = ("shape",) if kinds[0] != "partner" else ()
            own = population.model_fields_set & {*shaped, "normalize", "transfer", "gain", "bias", "dropout", "loss"}
            for key in sorted(own):
                what = "an input carries data as they are" if kinds[0] != "partner" else "its partner decides"
                self.complain(f"a population with '{kinds[0]}' takes no '{key}': {what}", *path, key)

    def _check_target(self, population: Population, path: Path_) -> None:
        named = population.target_of
        if named is not None and not (named in self.populations and self.populations[named].output_loss):
            outputs = [name for name, other in self.populations.items() if other.output_loss]
            self.complain(
                f"a target must be that of an output, which has a loss (got '{named}'). "
                f"{suggest(named, outputs, 'outputs')}",
                *path,
                "target",
            )

    def _check_output(self, population: Population, path: Path_) -> None:
        if population.transfer == "softmax" and population.output_loss != "cross_entropy":
            self.complain("softmax stands only at an output with loss cross_entropy", *path, "transfer")
        if population.loss == "binary_cross_entropy" and population.transfer != "sigmoid":
            self.complain(f"binary_cross_entropy needs transfer sigmoid (got {population.transfer})", *path, "loss")
        if population.loss == "cross_entropy" and population.transfer != "softmax":
            self.complain(f"cross_entropy needs transfer softmax (got {population.transfer})", *path, "loss")
        if population.dropout and population.output_loss:
            self.complain(
                f"an output with a loss takes no 'dropout' (got {population.dropout:g}): what is compared with the "
                "target must be there. Give it to the population before",
                *path,
                "dropout",
            )
        if population.gain and not population.normalizes:
            self.complain("gains belong to populations that normalize", *path, "gain")

    def _check_partner(self, name: str, partner: str, taken: dict[str, str]) -> None:
        path = ("populations", name, "partner")
        other = self.populations.get(partner)
        if other is None:
            self.complain(f"unknown population '{partner}'. {suggest(partner, self._forward(), 'populations')}", *path)
        elif other.is_feedback or other.is_source:
            self.complain(f"a partner must be a forward population that is no source (got '{partner}')", *path)
        elif partner in taken:
            self.complain(f"a forward population has one partner ('{partner}' has '{taken[partner]}' already)", *path)
        elif (shape := self.populations[name].shape) and other.shape and shape != other.shape:
            self.complain(f"partners have one shape (got {list(shape)} beside {list(other.shape)})", *path[:2], "shape")
        taken.setdefault(partner, name)

    def _forward(self) -> Iterable[str]:
        return (name for name, population in self.populations.items() if not population.is_feedback)

    # ---- projections

    def check_projections(self) -> None:
        for index, projection in enumerate(self.circuit.projections):
            path: Path_ = ("projections", index)
            label = projection.label
            if label in self.projections:
                self.complain(f"two projections must not share the name '{label}': name parallel ones", *path)
                continue
            if wrong := projection.name and names.complaint(projection.name, projection=True):
                self.complain(wrong, *path, "name")
            elif label.endswith(names.PARTNER) and not self._between_feedback(projection):
                self.complain(f"a name that ends with '{names.PARTNER}' belongs to a feedback projection", *path)
            self.projections[label] = projection
            self.places[label] = path
        for label, projection in self.projections.items():
            if self._check_ends(projection, self.places[label]):
                self._check_reverse(projection, self.places[label])
            self._check_tie(label, projection, self.places[label])

    def _between_feedback(self, projection: Projection) -> bool:
        ends = (self.populations.get(projection.source), self.populations.get(projection.target))
        return any(end is None or end.is_feedback for end in ends)  # an unknown end is named elsewhere

    def _check_ends(self, projection: Projection, path: Path_) -> bool:
        for end, name in (("from", projection.source), ("to", projection.target)):
            if name not in self.populations:
                self.complain(
                    f"unknown population '{name}'. {suggest(name, self.populations, 'populations')}", *path, end
                )
        if not {projection.source, projection.target} <= self.populations.keys():
            return False
        source, target = self.populations[projection.source], self.populations[projection.target]
        if target.is_source:
            self.complain(f"nothing projects to a source of activity ('{projection.target}')", *path, "to")
        sends_label = source.target is not None and target.is_feedback
        if source.is_feedback != target.is_feedback and not sends_label:
            self.complain(
                "a projection stays in its stream; between the streams run cross-projections, and projections from "
                f"what carries a target (got {projection.source} -> {projection.target})",
                *path,
            )
            return False
        if source.transfer == "softmax":
            self.complain(f"a softmax output must be last: no error can pass back through '{projection.source}'", *path)
        if projection.wiring is None and projection.reverse_of is None:
            self.complain("a projection needs a wiring: dense, conv, pool, one_to_one, flatten", *path)
        return True

    def _check_reverse(self, projection: Projection, path: Path_) -> None:
        if projection.reverse_of is None:
            return
        original = self.projections.get(projection.reverse_of)
        if original is None:
            hint = suggest(projection.reverse_of, self.projections, "projections")
            self.complain(f"unknown projection '{projection.reverse_of}'. {hint}", *path, "reverse_of")
            return
        ends = (self.populations[projection.target].partner, self.populations[projection.source].partner)
        if ends != (original.source, original.target):
            self.complain(
                f"a reverse joins the partners the other way round: {original.target}'s partner to {original.source}'s "
                f"(got {projection.source} -> {projection.target})",
                *path,
                "reverse_of",
            )
        if projection.wiring is not None:
            self.complain("a reverse has its original's wiring: leave 'wiring' out", *path, "wiring")

    def _check_tie(self, label: str, projection: Projection, path: Path_) -> None:
        if projection.tie is None:
            return
        owner = self.projections.get(projection.tie.owner)
        if owner is None or projection.tie.owner == label:
            others = [name for name in self.projections if name != label]
            hint = suggest(projection.tie.owner, others, "projections")
            self.complain(
                f"a tie must name another projection (got '{projection.tie.owner}'). {hint}", *path, "weights"
            )
        elif owner.tie is not None and (owner.tie.kind != "same_as" or projection.tie.kind == "same_as"):
            self.complain(
                f"a tie must name a projection with weights of its own ('{owner.label}' is tied)", *path, "weights"
            )
        elif projection.tie.kind != "same_as" and projection.reverse_of != projection.tie.owner:
            self.complain(f"{projection.tie.kind} must name the projection that this one reverses", *path, "weights")

    def check_cross(self) -> None:
        for index, cross in enumerate(self.circuit.cross):
            path: Path_ = ("cross", index)
            missing = [name for name in (cross.source, cross.target) if name not in self.populations]
            for name in missing:
                self.complain(f"unknown population '{name}'. {suggest(name, self.populations, 'populations')}", *path)
            if missing:
                continue
            source, target = self.populations[cross.source], self.populations[cross.target]
            if cross.source != target.partner and cross.target != source.partner:
                self.complain(f"a cross-projection joins partners (got {cross.source} -> {cross.target})", *path)
            elif cross.role in ("gate", "drive") and source.is_feedback:
                self.complain(f"a cross-projection with role {cross.role} runs from forward to feedback", *path, "role")
            if cross.carries != "rate" and cross.role != "teach":
                self.complain(f"a cross-projection with role {cross.role} carries the rate", *path, "carries")
            for name in cross.modes or ():
                self._check_mode(name, path)
        for label, projection in self.projections.items():
            for name in projection.modes or ():
                self._check_mode(name, self.places[label])

    def check_parameters(self) -> None:
        """Names that rules use: parameters of the circuit, of a population, of a projection; modulators."""
        holders: list[tuple[Iterable[str], Path_]] = [
            (self.circuit.parameters, ("parameters",)),
            (self.circuit.modulators, ("modulators",)),
            *((p.parameters, ("populations", name, "parameters")) for name, p in self.populations.items()),
            *((p.parameters, (*self.places[label], "parameters")) for label, p in self.projections.items()),
        ]
        if isinstance(self.circuit.learning, LearningSystem):
            holders.append((self.circuit.learning.parameters, ("learning", "parameters")))
            holders.append((self.circuit.learning.modulators, ("learning", "modulators")))
        for found, path in holders:
            for name in found:
                if wrong := names.parameter_complaint(name):
                    self.complain(wrong, *path, name)

    def check_mode_names(self) -> None:
        """Names of modes, in which states and recordings are told apart: the circuit's and every learning system's."""
        places: dict[str, Path_] = {name: ("modes", name) for name in self.circuit.modes}
        holders: list[tuple[object, Path_]] = [(self.circuit.learning, ("learning",))]
        holders += [(p.learning, (*self.places[label], "learning")) for label, p in self.projections.items()]
        for system, path in holders:
            if isinstance(system, LearningSystem):
                places |= {name: (*path, "modes", name) for name in system.modes if name not in places}
        for name, path in places.items():
            if wrong := names.mode_complaint(name):
                self.complain(wrong, *path)

    def _check_mode(self, name: str, path: Path_) -> None:
        if name not in self.circuit.modes:
            self.complain(f"unknown mode '{name}'. {suggest(name, self.circuit.modes, 'modes')}", *path, "modes")

    # ---- order and shapes

    def order(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Topological orders of the forward and the feedback stream, what carries a target after its output. A cycle is
        named."""
        joined = {(p.source, p.target): self.places[label] for label, p in reversed(self.projections.items())}
        follows = {
            (population.target_of, name): ("populations", name, "target")
            for name, population in self.populations.items()
            if population.target_of is not None
        }
        try:
            order = topological_order(
                self.populations, [*follows, *((p.source, p.target) for p in self.projections.values())]
            )
        except CycleError as error:
            place = (joined | follows)[error.cycle[-1], error.cycle[0]]
            self.complain(f"a circuit must have no cycle: recurrence is not supported yet (got {error})", *place)
            return (), ()
        forward = tuple(name for name in order if not self.populations[name].is_feedback)
        return forward, tuple(name for name in order if self.populations[name].is_feedback)

    def infer_shapes(self, forward: tuple[str, ...]) -> None:
        into: dict[str, list[str]] = {name: [] for name in self.populations}
        for label, projection in self.projections.items():
            into[projection.target].append(label)
        for name in forward:
            self._infer(name, into[name])
        for name, population in self.populations.items():
            if population.partner in self.shapes:
                self._inherit(name, population)
        for label, projection in self.projections.items():
            self._lay(label, projection)

    def _infer(self, name: str, labels: list[str]) -> None:
        population = self.populations[name]
        known = population.input or population.shape or self._shape_of_target(population)
        if known is None and not labels:
            self.complain("a population needs an input shape, or something that projects to it", "populations", name)
        known = known or self._concatenated(labels)
        for label in labels:
            projection = self.projections[label]
            source = self.shapes.get(projection.source)
            if source is None or projection.wiring is None:
                return  # its source has no shape, which is named already
            try:
                found = projection.wiring.target_shape(source, known)
            except WiringError as error:
                self.complain(str(error), *self.places[label], "wiring")
                continue
            if known is not None and found != known:
                why = "" if population.shape else " (as the other projections onto it say)"
                self.complain(
                    f"'{projection.target}' has shape {list(known)}{why}, but '{label}' gives {list(found)}",
                    *self.places[label],
                    "wiring",
                )
            known = known or found
        if known is not None:
            if prod(known) > MAXIMAL_NEURONS:
                self.complain(
                    f"a population holds at most {MAXIMAL_NEURONS} neurons (got {list(known)})", "populations", name
                )
                return
            self.shapes[name] = known

    def _shape_of_target(self, population: Population) -> Shape | None:
        if isinstance(population.target, int):
            return (population.target,)
        return self.shapes.get(population.target) if population.target is not None else None

    def _concatenated(self, labels: list[str]) -> Shape | None:
        """The shape of a population that is made of channel ranges, or None."""
        wirings: list[tuple[Wiring | None, Shape | None]] = [
            (self.projections[label].wiring, self.shapes.get(self.projections[label].source)) for label in labels
        ]
        stops = [w.target[1] for w, shape in wirings if isinstance(w, OneToOne) and w.target and shape]
        sides = [shape[1:] for w, shape in wirings if isinstance(w, OneToOne) and w.target and shape]
        return (max(stops), *sides[0]) if stops and len(stops) == len(labels) else None

    def check_shapes(self) -> None:
        """What can be judged only where shapes are known: outputs, ties, and how many weights there are."""
        for name, population in self.populations.items():
            if population.output_loss == "cross_entropy" and len(self.shapes.get(name, (1,))) != 1:
                self.complain(
                    f"an output with cross_entropy must be a row of classes (got {list(self.shapes[name])}): "
                    "end with flatten or a dense projection",
                    *("populations", name),
                )
        for label, geometry in self.geometries.items():
            self._check_constraint(label, geometry)
            weights = geometry.weight_shape
            if weights and prod(weights) > MAXIMAL_WEIGHTS:
                self.complain(f"'{label}' has more than {MAXIMAL_WEIGHTS} weights {list(weights)}", *self.places[label])
            if tie := self.projections[label].tie:
                self._check_tied_shapes(label, weights, tie.owner)

    def _check_constraint(self, label: str, geometry: Geometry) -> None:
        """Bounds and signs of weights."""
        projection, place = self.projections[label], self.places[label]
        source = self.populations[projection.source]
        if source.is_feedback and isinstance(source.sign, Mixture):
            self.complain(
                "a feedback population is excitatory or inhibitory as a whole, or has no sign",
                *("populations", projection.source, "sign"),
            )
            return
        if isinstance(source.sign, Mixture) and self.shapes[projection.source][0] < 2:
            self.complain("a mixture of signs needs two channels or more", *("populations", projection.source, "sign"))
            return
        for message in complaints(projection, source, geometry):
            self.complain(message, *place)
        owner = self.projections[projection.tie.owner] if projection.tie and projection.tie.kind == "same_as" else None
        if owner is not None and owner.label in self.geometries:
            held = constraint(projection, source, self.shapes[projection.source])
            theirs = constraint(owner, self.populations[owner.source], self.shapes[owner.source])
            if held != theirs:
                self.complain(
                    f"'{label}' and '{owner.label}' share weights, so that they must keep them within the same bounds "
                    f"(got {held or 'none'} beside {theirs or 'none'})",
                    *place,
                )

    def check_initials(self, graph: Graph) -> None:
        """No number for gains or biases that a population does not have: it would change nothing."""
        for name, population in self.populations.items():
            if population.initial_gain != 1 and not population.normalizes:
                self.complain(
                    f"'initial_gain' belongs to a population that normalizes (got {population.initial_gain:g}). "
                    "Say normalize: batch",
                    *("populations", name, "initial_gain"),
                )
            if population.initial_bias != 0 and not (population.normalizes or graph.has_bias(name)):
                self.complain(
                    f"'initial_bias' belongs to a population with biases (got {population.initial_bias:g}). "
                    "Say bias: true",
                    *("populations", name, "initial_bias"),
                )

    def _check_tied_shapes(self, label: str, weights: Shape | None, owner: str) -> None:
        path = (*self.places[label], "weights")
        other = self.geometries[owner].weight_shape if owner in self.geometries else weights
        if weights is None:
            self.complain(f"'{label}' has no weights to tie ({self.geometries[label].wiring.kind})", *path)
        elif other != weights:
            found = f"'{label}' has {list(weights)}, '{owner}' has {list(other) if other else 'none'}"
            self.complain(f"a tie joins weights of one shape ({found})", *path)

    def _inherit(self, name: str, population: Population) -> None:
        assert population.partner is not None
        shape = self.shapes[population.partner]
        if population.shape and population.shape != shape:
            self.complain(
                f"partners have one shape (got {list(population.shape)}; '{population.partner}' has {list(shape)})",
                "populations",
                name,
                "shape",
            )
        self.shapes[name] = shape

    def _lay(self, label: str, projection: Projection) -> None:
        original = self.projections[projection.reverse_of] if projection.reverse_of else projection
        lower, upper = self.shapes.get(original.source), self.shapes.get(original.target)
        if lower is None or upper is None or original.wiring is None:
            return
        self.geometries[label] = Geometry(original.wiring, lower, upper)
        if projection.reverse_of or not self.populations[projection.target].is_feedback:
            return
        try:
            found = original.wiring.target_shape(lower, upper)
        except WiringError as error:
            self.complain(str(error), *self.places[label], "wiring")
            return
        if found != upper:
            self.complain(
                f"'{projection.target}' has shape {list(upper)}, but '{label}' gives {list(found)}", *self.places[label]
            )
