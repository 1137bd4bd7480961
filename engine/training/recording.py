"""From a compiled circuit to the schema of its recording: which synapses, under which rules, from where to where."""

import os
import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from ...circuits.declarations import Circuit
from ...circuits.graph import Graph, build_graph
from ...circuits.writing import dump
from ..recorder import Schema, Synapse

METRICS = ("loss", "accuracy", "validation_loss", "validation_accuracy", "rate", "images_per_second")
PACKAGES = ("counterstream", "torch", "numpy", "h5py")


def schema(
    circuit: Circuit,
    *,
    transports_weights: bool,
    learning: str,
    seed: int,
    experiment: str,
    delta_angles: bool,
) -> Schema:
    """What a run of an explicit circuit records: the weights of every projection that learns or has a
    reverse.

    Delta angles are taken at every forward population that has a feedback partner.
    """
    graph = build_graph(circuit)
    return Schema(
        circuit=dump(circuit),
        circuit_name=circuit.name,
        learning=learning,
        transports_weights=transports_weights,
        environment=environment(),
        seed=seed,
        experiment=experiment,
        synapses=list(synapses(graph)),
        populations=hidden(graph) if delta_angles else [],
        metrics=METRICS,
    )


def environment() -> dict[str, str]:
    """Versions and machine: what somebody else would need to judge a difference."""
    found = {"python": platform.python_version(), "machine": platform.machine(), "system": platform.system()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found | {"cores": str(os.cpu_count())}


def synapses(graph: Graph) -> Iterator[Synapse]:
    """The recorded projections, in the order in which activity and then errors reach their targets."""
    reversed_ = {projection.reverse_of for projection in graph.projections.values()}
    for population in (*graph.forward, *graph.feedback):
        for label in graph.into(population):
            projection = graph.projections[label]
            if graph.weighted(label) and (projection.rules or projection.reverse_of or label in reversed_):
                yield _synapse(graph, label)


def hidden(graph: Graph) -> list[str]:
    """The populations with a delta angle of interest: those with a feedback partner. Outputs are left out, since
    every system gives them the exact error.
    """
    return [name for name in graph.forward if name in graph.partners and name not in graph.outputs]


def _synapse(graph: Graph, label: str) -> Synapse:
    projection, geometry = graph.projections[label], graph.geometries[label]
    tie = projection.tie
    return Synapse(
        projection=label,
        source=projection.source,
        target=projection.target,
        role="feedback" if graph.is_feedback(label) else "forward",
        reverse_of=projection.reverse_of,
        rules={mode: rule.dw for mode, rule in projection.rules.items()},
        tie=f"{tie.kind} {tie.owner}" if tie else None,
        shape=geometry.weight_shape or (),
        wiring=geometry.wiring.kind,
        unseen=geometry.unseen,
    )
