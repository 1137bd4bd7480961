"""A mode in which data flow, as programs: both streams, and the drives of every rule that learns in it."""

from collections.abc import Sequence

from ...circuits.declarations import Consolidation, Mode
from ...circuits.graph import Graph
from ...circuits.locality import fed
from ...circuits.plasticity import Plasticity
from .builder import ProgramBuilder
from .collected import Collected
from .consolidation import consolidation_program
from .mode_programs import ModePrograms
from .streams import Compartments, both_streams


def data_mode(
    name: str,
    mode: Mode,
    graph: Graph,
    plasticity: tuple[Plasticity, ...],
    common: Consolidation,
    watch: Sequence[str],
    *,
    shared: bool = False,
    synchronise: bool = False,
    soft_targets: bool = False,
) -> ModePrograms:
    builder, streams = both_streams(
        graph, name, name, shared=shared, synchronise=synchronise, soft_targets=soft_targets
    )
    collected = Collected(builder, graph)
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
        mode,
        builder.program(results),
        consolidation_program(f"consolidate {name}", learners, common),
        learners,
        tuple(streams.noise.values()),
    )


def _modulators(builder: ProgramBuilder, graph: Graph) -> Compartments:
    return {
        name: builder.input(f"mod/{name}", (), role="data", batched=modulator.per == "sample")
        for name, modulator in graph.circuit.modulators.items()
    }
