"""From an explicit circuit to programs: one pair a mode (observe, then consolidate), and three that only look."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from ...circuits.declarations import Circuit, Consolidation, Feedback, LearningSystem, Mode
from ...circuits.expansion import expand
from ...circuits.graph import Graph, build_graph
from ...circuits.locality import conducts, fed
from ...circuits.plasticity import Plasticity, answer_of, read_plasticity
from ...circuits.rules import Term
from ...circuits.rules.compartments import NOISE
from .builder import ProgramBuilder, Ref
from .consolidation import Learner, consolidation_program, trace_states
from .drives import Drives, View
from .errors import cannot
from .mirror import NoiseInput, maps_needed
from .program import Program
from .state import State, circuit_states, weights_name
from .streams import Compartments, Streams


@dataclass(frozen=True)
class ModePrograms:
    """One mode: `observe` reads everything and writes nothing; `consolidate` turns its drives into new states.

    Between the two, workers that share a model average the drives. Results of `observe`: drive/STATE for every learner,
    new running statistics under their state's name, loss/OUTPUT and accuracy/OUTPUT, watch/COMPARTMENT where watched.
    """

    mode: Mode
    observe: Program
    consolidate: Program
    learners: tuple[Learner, ...]
    noise: tuple[NoiseInput, ...] = ()


@dataclass(frozen=True)
class CompiledCircuit:
    """Everything an engine needs to run a circuit, and nothing of any engine."""

    circuit: Circuit
    graph: Graph
    plasticity: tuple[Plasticity, ...]
    common: Consolidation
    modes: Mapping[str, ModePrograms]
    states: Mapping[str, State]

    @cached_property
    def data_mode(self) -> str:
        """The first mode in which data flow; steps run it."""
        return next(name for name, programs in self.modes.items() if not programs.mode.isolates)

    @cached_property
    def predict(self) -> Program:
        """rate/OUTPUT for every output population (or, without any, every last one), by running statistics."""
        builder, streams = self._frozen
        ends = self.graph.outputs or self._last()
        return builder.program({f"rate/{name}": streams.compartments[name]["rate"] for name in ends})

    @cached_property
    def evaluate(self) -> Program:
        """loss/OUTPUT and accuracy/OUTPUT by running statistics."""
        builder, streams = self._frozen
        return builder.program(streams.losses())

    @cached_property
    def _frozen(self) -> tuple[ProgramBuilder, Streams]:
        builder = ProgramBuilder("evaluate")
        streams = Streams(builder, self.graph, self.data_mode, frozen=True)
        streams.activity()
        return builder, streams

    def _last(self) -> tuple[str, ...]:
        sources = {p.source for p in self.graph.projections.values()}
        return tuple(name for name in self.graph.forward if name not in sources)

    def reading(self, name: str, mode: str) -> Program:
        """A program whose one result, `value`, is a compartment of a population ("v1.rate") in a mode with data."""
        builder, streams = _streams(self.graph, mode, f"read {name}")
        return builder.program({"value": streams.named(name)})

    @cached_property
    def shadow(self) -> Program:
        """What delta angles are taken between, for each forward population with a partner.

        circuit/POPULATION is the circuit's delta at its soma, exact/POPULATION the delta that backprop would put there,
        through the same activities.
        """
        builder, streams = _streams(self.graph, self.data_mode, "shadow")
        exact_graph = backprop_graph(self.graph, self.data_mode)
        exact = Streams(builder, exact_graph, "engaged")
        exact.activity()
        exact.feedback()
        results = {}
        for name, partner in self.graph.partners.items():
            if name in exact_graph.partners:
                results[f"circuit/{name}"] = streams.compartments[partner]["rate"]
                results[f"exact/{name}"] = exact.compartments[exact_graph.partners[name]]["rate"]
        return builder.program(results)


def _streams(graph: Graph, mode: str, name: str) -> tuple[ProgramBuilder, Streams]:
    builder = ProgramBuilder(name)
    streams = Streams(builder, graph, mode)
    streams.activity()
    streams.feedback()
    return builder, streams


def backprop_graph(graph: Graph, mode: str) -> Graph:
    """What conducts forward in a mode with data, under the feedback of exact backprop: every reverse a transpose."""
    circuit = graph.circuit
    bare = circuit.model_copy(
        update={
            "populations": {
                name: population.model_copy(update={"rules": {}})
                for name, population in circuit.populations.items()
                if not population.is_feedback
            },
            "projections": [
                p.model_copy(update={"rules": {}, "modes": None, "parameters": {}})
                for p in circuit.projections
                if not circuit.populations[p.source].is_feedback and conducts(graph, p.modes, mode)
            ],
            "cross": [],
            "modes": {},
            "parameters": {},
            "learning": LearningSystem(name="exact", feedback=Feedback(weights="transpose_of")),
        }
    )
    return build_graph(expand(bare))


def compile_circuit(
    circuit: Circuit, consolidation: Consolidation | None = None, watch: Sequence[str] = ()
) -> CompiledCircuit:
    """Compile a circuit, compact or explicit. Pure: the same circuit gives the same programs.

    Compartments in `watch` ("v1.rate") become results watch/NAME of every mode with data.

    Raises CircuitError for a circuit that does not hold together or that cannot run, naming the place.
    """
    explicit = expand(circuit)
    graph = build_graph(explicit)
    plasticity = read_plasticity(graph)
    common = consolidation or Consolidation()
    modes = {
        name: _isolated_mode(name, mode, graph, plasticity, common)
        if mode.isolates
        else _data_mode(name, mode, graph, plasticity, common, watch)
        for name, mode in explicit.modes.items()
    }
    learners = [learner for programs in modes.values() for learner in programs.learners]
    states = {**circuit_states(graph), **trace_states(learners, common)}
    return CompiledCircuit(explicit, graph, plasticity, common, modes, states)


# ---- modes with data


def _data_mode(
    name: str,
    mode: Mode,
    graph: Graph,
    plasticity: tuple[Plasticity, ...],
    common: Consolidation,
    watch: Sequence[str],
) -> ModePrograms:
    builder, streams = _streams(graph, name, name)
    collected = _Collected(builder, graph)
    modulators = _modulators(builder, graph)
    for found in plasticity:
        if found.mode != name:
            continue
        if found.kind == "weights":
            projection = graph.projections[found.subject]
            sides = {
                "pre": streams.compartments[projection.source],
                "post": streams.compartments[projection.target],
                "mod": modulators,
            }
            collected.synapses(found, sides)
        else:
            sides = {"own": streams.compartments[found.subject], "mod": modulators}
            if found.subject in graph.partners and fed(graph, found.subject, name):
                sides["partner"] = streams.compartments[graph.partners[found.subject]]
            collected.intrinsic(found, sides, streams.normalized_sums.get(found.subject))
    watched = {f"watch/{name}": streams.named(name) for name in watch}
    results = {**collected.drives(), **streams.statistics, **streams.losses(), **watched}
    learners = collected.learners()
    return ModePrograms(
        mode, builder.program(results), consolidation_program(f"consolidate {name}", learners, common), learners
    )


def _modulators(builder: ProgramBuilder, graph: Graph) -> Compartments:
    return {
        name: builder.input(f"mod/{name}", (), role="data", batched=modulator.per == "sample")
        for name, modulator in graph.circuit.modulators.items()
    }


# ---- modes that run one projection at a time


def _isolated_mode(
    name: str, mode: Mode, graph: Graph, plasticity: tuple[Plasticity, ...], common: Consolidation
) -> ModePrograms:
    builder = ProgramBuilder(name)
    collected, noise = _Collected(builder, graph), dict[str, NoiseInput]()
    for found in plasticity:
        if found.mode == name:
            alone = _Alone(builder, graph, name, found)
            noise[alone.noise.name] = alone.noise
            collected.synapses(found, alone.sides())
    learners = collected.learners()
    return ModePrograms(
        mode,
        builder.program(collected.drives()),
        consolidation_program(f"consolidate {name}", learners, common),
        learners,
        tuple(noise.values()),
    )


class _Alone:
    """One projection run by itself: its source fires noise, its target answers, their partners are clamped to them."""

    def __init__(self, builder: ProgramBuilder, graph: Graph, mode: str, plasticity: Plasticity) -> None:
        self.builder = builder
        self.graph = graph
        self.mode_name = mode
        self.mode = graph.circuit.modes[mode]
        self.label = plasticity.subject
        self.own = graph.projections[self.label]
        self.original = self.own.reverse_of or self.label
        if self.own.reverse_of is None and graph.is_feedback(self.label):
            raise cannot(
                f"'{self.label}' reverses no projection, so mode '{mode}' has nothing to run by itself", self.label
            )
        self._answer = answer_of(graph, self.label, self.mode)
        geometry, fires = graph.geometries[self.label], self.mode.fires
        assert fires is not None
        self.noise = NoiseInput(
            name=f"noise/{self.original}",
            shape=geometry.lower,
            maps=maps_needed(self.mode, geometry, plasticity, self._answer),
            distribution=fires.noise,
            scale=fires.scale,
        )

    def sides(self) -> Mapping[str, Compartments]:
        geometry = self.graph.geometries[self.label]
        fired = self.builder.input(self.noise.name, geometry.lower, role="noise", batched=True)
        weights = self.builder.input(weights_name(self.graph, self.original), geometry.weight_shape or (), role="state")
        soma = self.builder.project(fired, weights, geometry)
        answer = self.builder.transfer(soma, self._answer)
        lower: Compartments = {"soma": fired, "rate": fired, NOISE: fired}
        upper: Compartments = {"soma": soma, "rate": answer}
        if self.own.reverse_of is None:
            return {"pre": lower, "post": upper}
        return {"pre": self._clamped(self.own.source, upper), "post": self._clamped(self.own.target, lower)}

    def _clamped(self, partner: str, forward: Compartments) -> Compartments:
        """The compartments of a feedback population whose rate is its partner's, noise included."""
        driven = any(
            cross.role == "drive" and cross.target == partner and conducts(self.graph, cross.modes, self.mode_name)
            for cross in self.graph.circuit.cross
        )
        if not driven:
            raise cannot(
                f"nothing drives '{partner}' in mode '{self.mode_name}': say clamp: partner in the mode, or declare a "
                "cross-projection with role drive",
                partner,
            )
        clamped: Compartments = {**forward, "soma": forward["rate"]}
        if fed(self.graph, partner, self.mode_name):
            clamped["apical"] = forward["rate"]
        return clamped


# ---- what the rules of a mode come to


class _Collected:
    """Drives by state, summed where several rules move one state, and what each state's consolidation needs."""

    def __init__(self, builder: ProgramBuilder, graph: Graph) -> None:
        self.graph = graph
        self.builder = builder
        self.lowering = Drives(builder, graph)
        self._drives: dict[str, list[Ref]] = {}
        self._rules: dict[str, list[Plasticity]] = {}

    def synapses(self, plasticity: Plasticity, sides: Mapping[str, Compartments]) -> None:
        label = plasticity.subject
        geometry, state = self.graph.geometries[label], weights_name(self.graph, label)
        weight = self.builder.input(state, geometry.weight_shape or (), role="state")
        reverse = self.graph.projections[label].reverse_of is not None
        once = self._without_what_is_said(state, plasticity)
        drive = self.lowering.synapses(once, View(sides, weight, label), geometry, reverse=reverse)
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
        return tuple(self._learner(state, rules) for state, rules in self._rules.items())

    def _learner(self, state: str, rules: Iterable[Plasticity]) -> Learner:
        rules = list(rules)
        first = rules[0]
        if any(rule.consolidation != first.consolidation for rule in rules):
            raise cannot(f"the rules that share {state} must have one consolidation", first.subject)
        is_synapse = first.kind == "weights"
        geometry = self.graph.geometries[first.subject] if is_synapse else None
        shape = (geometry.weight_shape or ()) if geometry else self.graph.shapes[first.subject][:1]
        return Learner(
            state=state,
            mode=first.mode,
            shape=shape,
            driven=bool(self._drives[state]),
            decay=first.decay,
            consolidation=first.consolidation,
            geometry=geometry,
        )


def _alone(plasticity: Plasticity) -> tuple[float, tuple[Term, ...]]:
    """Decay, and the other terms that read neither pre nor post."""
    return plasticity.decay, tuple(term for term in plasticity.terms if not (term.pre or term.post))
