"""How large synapses are that have the signs of others: a number, a state that never changes, or noise of each step."""

from collections.abc import Mapping
from math import sqrt

from ...circuits.declarations import Spread
from ...circuits.graph import Graph
from .builder import ProgramBuilder, Ref
from .noise import NoiseInput


def magnitude_name(label: str) -> str:
    """The state, or the noise, in which the magnitudes of a projection's synapses stand; what is read is |M|."""
    return f"magnitude/{label}"


def magnitude_spread(graph: Graph, label: str) -> Spread:
    """What M is drawn from: the declared initial distribution of the projection."""
    geometry = graph.geometries[label]
    return graph.projections[label].initial.spread(geometry.fan_in, geometry.fan_out)


def uniform_magnitude(graph: Graph, label: str) -> float | None:
    """The magnitude that all synapses of a sign tie have; None where each has its own.

    fan_out: sqrt(2 / (k k C_out)) (Xiao et al. 2019). initial_rms: the root mean square of the initial distribution.
    Magnitudes drawn from a distribution without width are all alike as well.
    """
    tie, spread = graph.projections[label].tie, magnitude_spread(graph, label)
    assert tie is not None
    if tie.magnitude == "fan_out":
        return sqrt(2 / graph.geometries[label].fan_out)
    return spread.rms if tie.magnitude == "initial_rms" or spread.width == 0 else None


def redrawn_magnitudes(graph: Graph) -> Mapping[str, NoiseInput]:
    """By projection: the M that each step draws anew, one array in the weights' shape."""
    found = {}
    for label, projection in graph.projections.items():
        drawn = projection.tie is not None and projection.tie.magnitude == "redrawn"
        if drawn and uniform_magnitude(graph, label) is None:
            spread = magnitude_spread(graph, label)
            found[label] = NoiseInput(
                name=magnitude_name(label),
                shape=graph.geometries[label].weight_shape or (),
                batched=False,
                distribution=spread.distribution,
                scale=spread.deviation,
                mean=spread.mean,
            )
    return found


def with_signs(build: ProgramBuilder, graph: Graph, label: str, owned: Ref, redrawn: Mapping[str, NoiseInput]) -> Ref:
    """The weights of a sign tie: the signs of `owned` times the magnitudes; sign(0) = 0."""
    signs, uniform = build.function(owned, "sign"), uniform_magnitude(graph, label)
    if uniform is not None:
        return build.scale(signs, uniform)
    name, shape = magnitude_name(label), build[owned].shape
    drawn = build.input(name, shape, role="noise" if label in redrawn else "state")
    return build.multiply(signs, build.function(drawn, "abs"))
