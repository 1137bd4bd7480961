"""From an explicit circuit to programs: one pair a mode (observe, then consolidate), and three that only look."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ...circuits.declarations import Circuit, Consolidation
from ...circuits.expansion import expand
from ...circuits.graph import Graph, build_graph
from ...circuits.plasticity import Plasticity, read_plasticity
from .alignment import alignment_program
from .builder import ProgramBuilder
from .consolidation import trace_states
from .data_mode import data_mode
from .isolated_mode import isolated_mode
from .magnitudes import redrawn_magnitudes
from .mode_programs import ModePrograms
from .noise import NoiseInput
from .program import Program
from .state import State, circuit_states
from .streams import Streams, both_streams
from .turns import turns_of


@dataclass(frozen=True)
class CompiledCircuit:
    """Everything an engine needs to run a circuit, and nothing of any engine."""

    circuit: Circuit
    graph: Graph
    plasticity: tuple[Plasticity, ...]
    common: Consolidation
    modes: Mapping[str, ModePrograms]
    states: Mapping[str, State]
    synchronise: bool = False
    """Whether steps normalize over the batch of all ranks."""
    soft_targets: bool = False
    """Whether steps take rates of all classes as targets of cross-entropy."""

    @cached_property
    def data_mode(self) -> str:
        """The first mode in which data flow; steps run it."""
        return next(name for name, programs in self.modes.items() if not programs.mode.isolates)

    @cached_property
    def softly_told(self) -> frozenset[str]:
        """The outputs that steps are told rates of classes."""
        populations = self.graph.populations if self.soft_targets else {}
        return frozenset(name for name, found in populations.items() if found.output_loss == "cross_entropy")

    @cached_property
    def turns(self) -> Mapping[str, tuple[ModePrograms, ...]]:
        """What the steps of each mode run: step t runs turns[t % len(turns)], t counting the mode's own steps.

        There is one turn, the mode's own programs, unless its projections rotate.
        """
        return {name: self._turns(name, programs) for name, programs in self.modes.items()}

    def _turns(self, name: str, programs: ModePrograms) -> tuple[ModePrograms, ...]:
        if programs.mode.share is None:
            return (programs,)
        rules = tuple(found for found in self.plasticity if found.mode == name)
        turns = turns_of(programs.mode, rules, self.graph)
        return tuple(
            isolated_mode(
                name, programs.mode, self.graph, turn, self.common, title=f"{name}, turn {place} of {len(turns)}"
            )
            for place, turn in enumerate(turns, start=1)
        )

    @cached_property
    def redrawn(self) -> Mapping[str, NoiseInput]:
        """By projection: the magnitudes that a step draws anew (see `magnitudes.py`)."""
        return redrawn_magnitudes(self.graph)

    @cached_property
    def predict(self) -> Program:
        """rate/OUTPUT for every output population (or, without any, every last one), by running statistics."""
        builder, streams = self._frozen
        ends = self.graph.outputs or self._last()
        return builder.program({f"rate/{name}": streams.compartments[name]["rate"] for name in ends})

    @cached_property
    def evaluate(self) -> Program:
        """loss/OUTPUT, accuracy/OUTPUT and score/OUTPUT, which ranks the classes, by running statistics."""
        builder, streams = self._frozen
        scores = {f"score/{name}": streams.losses.score(name) for name in self.graph.outputs}
        return builder.program({**streams.losses.all(), **scores})

    @cached_property
    def _frozen(self) -> tuple[ProgramBuilder, Streams]:
        builder = ProgramBuilder("evaluate")
        streams = Streams(builder, self.graph, self.data_mode, frozen=True)
        streams.activity()
        return builder, streams

    def _last(self) -> tuple[str, ...]:
        sources = {p.source for p in self.graph.projections.values()}
        return tuple(name for name in self.graph.forward if name not in sources)

    def reading(self, names: Sequence[str], mode: str, *, alone: bool = False) -> Program:
        """A program whose results are compartments of populations ("v1.rate") in a mode with data, by these names.

        `alone`: of this process's batch, even where steps normalize over the batch of all ranks.
        """
        synchronise = self.synchronise and not alone
        title = f"read {', '.join(names)}"
        builder, streams = both_streams(
            self.graph,
            mode,
            title,
            shared=synchronise,
            synchronise=synchronise,
            soft_targets=self.soft_targets,
        )
        return builder.program({name: streams.named(name) for name in names})

    @cached_property
    def alignment(self) -> Program:
        """How feedback stands to feedforward, in angles and norms (see `alignment.py`)."""
        return alignment_program(self.graph, self.data_mode)


def compile_circuit(
    circuit: Circuit,
    consolidation: Consolidation | None = None,
    watch: Sequence[str] = (),
    *,
    shared: bool = False,
    synchronise: bool = False,
    soft_targets: bool = False,
) -> CompiledCircuit:
    """Compile a circuit, compact or explicit. Pure: the same circuit gives the same programs.

    Compartments in `watch` ("v1.rate") become results watch/NAME of every mode with data. `shared`: for ranks that each
    have a part of the batch, so that means inside a step (`centre`) are over all of it, and with `synchronise` those of
    batch normalization, too. `soft_targets`: steps are told rates of all classes of an output with a cross-entropy.

    Raises CircuitError for a circuit that does not hold together or that cannot run, naming the place.
    """
    explicit = expand(circuit)
    graph = build_graph(explicit)
    plasticity = read_plasticity(graph)
    common = consolidation or Consolidation()
    modes = {
        name: isolated_mode(name, mode, graph, plasticity, common)
        if mode.isolates
        else data_mode(
            name,
            mode,
            graph,
            plasticity,
            common,
            watch,
            shared=shared,
            synchronise=shared and synchronise,
            soft_targets=soft_targets,
        )
        for name, mode in explicit.modes.items()
    }
    learners = [learner for programs in modes.values() for learner in programs.learners]
    states = {**circuit_states(graph), **trace_states(learners, common)}
    return CompiledCircuit(explicit, graph, plasticity, common, modes, states, shared and synchronise, soft_targets)
