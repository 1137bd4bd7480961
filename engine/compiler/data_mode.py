"""A mode in which data flow, as programs: both streams, and the drives of every rule that learns in it."""

from collections.abc import Sequence

from ...circuits.declarations import Consolidation, Mode
from ...circuits.graph import Graph
from ...circuits.locality import fed
from ...circuits.plasticity import Plasticity
from ...circuits.rules import ECHO, REVERSE, reads
from .collected import Collected
from .consolidation import consolidation_program
from .mode_programs import ModePrograms
from .modulators import Modulators
from .streams import both_streams


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
    modulators = Modulators(streams)
    for found in plasticity:
        if found.mode != name:
            continue
        if found.kind == "weights":
            projection = graph.projections[found.subject]
            pre, post = (streams.compartments[end] for end in (projection.source, projection.target))
            read = reads(found.expression)
            if ECHO in read:
                pre = {**pre, ECHO.compartment: streams.conduction.echo(found.subject)}
            reverse = streams.conduction.weights(graph.reverses[found.subject]) if REVERSE in read else None
            collected.synapses(found, {"pre": pre, "post": post, "mod": modulators.compartments}, reverse)
        else:
            sides = {"own": streams.compartments[found.subject], "mod": modulators.compartments}
            if found.subject in graph.partners and fed(graph, found.subject, name):
                sides["partner"] = streams.compartments[graph.partners[found.subject]]
            collected.intrinsic(found, sides, streams.back.normalized_sums.get(found.subject))
    # A mode in which no errors come back has fewer compartments; what it lacks is watched where it is.
    watched = {f"watch/{name}": streams.named(name) for name in watch if mode.errs or streams.holds(name)}
    observed = {**streams.forward.statistics, **streams.losses.all()} if mode.errs else {}
    results = {**collected.drives(), **observed, **modulators.baselines, **watched}
    learners = collected.learners()
    return ModePrograms(
        mode,
        builder.program(results),
        consolidation_program(f"consolidate {name}", learners, common),
        learners,
        tuple(streams.noise.values()),
    )
