"""How feedback stands to feedforward, as a program: weights, errors and what weights make of errors, compared where
they are, so that only numbers leave the device."""

from ...circuits.graph import Graph
from ...circuits.wiring import Pool
from .builder import ProgramBuilder, Ref
from .program import Program
from .shadow import shadow_streams
from .streams import Streams


def alignment_program(graph: Graph, mode: str) -> Program:
    """Results, each one number:

    matrix_angle/PROJECTION, norm/PROJECTION and norm/REVERSE for each projection whose reverse has weights, over the
    synapses that exist;
    delta_angle/POPULATION for each forward population with a partner that errors of backprop reach: between the
    circuit's delta and backprop's, all the way down;
    local_angle/POPULATION for those of them that project on: between the circuit's error at the rate and the one that
    W in place of B would bring there, given the circuit's deltas above (Akrout et al. 2019 take the former only).
    """
    builder, own, exact = shadow_streams(graph, mode, "alignment")
    results = _synapses(builder, own)
    for name, partner in graph.partners.items():
        exact_partner = exact.graph.partners.get(name)
        if exact_partner is None:
            continue
        deltas = (own.compartments[partner]["rate"], exact.compartments[exact_partner]["rate"])
        results[f"delta_angle/{name}"] = builder.angle(*deltas)
        mirrored = _brought_by_forward_weights(builder, own, exact.graph, exact_partner)
        if mirrored is not None and name not in graph.outputs:  # an output's error is its own, whatever arrives
            results[f"local_angle/{name}"] = builder.angle(own.compartments[partner]["soma"], mirrored)
    return builder.program(results)


def mirrored_pairs(graph: Graph) -> dict[str, str]:
    """Forward projection -> its reverse, where both have weights, in the order of the forward pass."""
    reverses = {
        projection.reverse_of: label
        for label, projection in graph.projections.items()
        if projection.reverse_of is not None and graph.weighted(label)
    }
    return {label: reverses[label] for label in graph.projections if label in reverses}


def _synapses(builder: ProgramBuilder, streams: Streams) -> dict[str, Ref]:
    results: dict[str, Ref] = {}
    for label, reverse in mirrored_pairs(streams.graph).items():
        w, b = _seen_weights(builder, streams, label), _seen_weights(builder, streams, reverse)
        results[f"matrix_angle/{label}"] = builder.angle(w, b)
        results |= {f"norm/{label}": builder.norm(w), f"norm/{reverse}": builder.norm(b)}
    return results


def _seen_weights(builder: ProgramBuilder, streams: Streams, label: str) -> Ref:
    """The weights of a projection, 0 where no position sees the tap: there is no synapse."""
    weights, geometry = streams.conduction.weights(label), streams.graph.geometries[label]
    assert weights is not None
    return weights if geometry.unseen is None else builder.per_tap(weights, geometry, "seen")


def _brought_by_forward_weights(
    builder: ProgramBuilder, streams: Streams, exact: Graph, exact_partner: str
) -> Ref | None:
    """What the forward synapses would carry back to a population of the circuit's own deltas above it."""
    currents = []
    for label in exact.into(exact_partner):
        original = exact.projections[label].reverse_of
        assert original is not None, "backprop reverses every projection"
        projection = exact.projections[original]
        above = streams.graph.partners.get(projection.target)
        if above is None:
            continue
        geometry = exact.geometries[original]
        is_max = isinstance(geometry.wiring, Pool) and geometry.wiring.over == "max"
        lower = streams.compartments[projection.source]["rate"] if is_max else None
        delta = streams.compartments[above]["rate"]
        currents.append(builder.project_back(delta, streams.conduction.weights(original), lower, geometry))
    return builder.total(currents) if currents else None
