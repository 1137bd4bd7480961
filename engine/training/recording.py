"""From a compiled circuit to the schema of its recording: which synapses, under which rules, from where to where."""

import os
import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from ...circuits.declarations import Circuit, Projection
from ..recorder import Schema, Synapse

METRICS = ("loss", "accuracy", "validation_loss", "validation_accuracy", "rate", "images_per_second")
PACKAGES = ("counterstream", "torch", "numpy", "h5py")


def schema(
    sim: Any, *, text: str, transports_weights: bool, learning: str, seed: int, experiment: str, delta_angles: bool
) -> Schema:
    """What a run of a compiled circuit records: the weights of every projection that learns or has a reverse.

    `text` is the explicit circuit as YAML. Delta angles are taken at every feedback population's partner.
    """
    circuit: Circuit = sim.circuit
    return Schema(
        circuit=text,
        circuit_name=circuit.name,
        learning=learning,
        transports_weights=transports_weights,
        environment=environment(),
        seed=seed,
        experiment=experiment,
        synapses=list(synapses(sim)),
        populations=feedback_partners(circuit) if delta_angles else [],
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


def feedback_partners(circuit: Circuit) -> list[str]:
    """The forward populations that have a feedback partner, in the order of the circuit."""
    partners = {population.partner for population in circuit.populations.values()}
    return [name for name in circuit.populations if name in partners]


def synapses(sim: Any) -> Iterator[Synapse]:
    """The recorded projections of a compiled circuit, in the order of the circuit."""
    circuit: Circuit = sim.circuit
    by_name = {projection.label: projection for projection in circuit.projections}
    reversed_ = {projection.reverse_of for projection in circuit.projections if projection.reverse_of}
    for name, projection in by_name.items():
        if name not in sim.weights:
            continue  # a wiring without weights
        if projection.rules or projection.reverse_of or name in reversed_:
            yield _synapse(sim, projection, by_name)


def _synapse(sim: Any, projection: Projection, by_name: dict[str, Projection]) -> Synapse:
    name, tie = projection.label, projection.tie
    forward = by_name[projection.reverse_of] if projection.reverse_of else projection
    feedback = sim.circuit.populations[projection.target].is_feedback
    return Synapse(
        projection=name,
        source=projection.source,
        target=projection.target,
        role="feedback" if feedback else "forward",
        reverse_of=projection.reverse_of,
        rules={mode: rule.dw for mode, rule in projection.rules.items()},
        tie=f"{tie.kind} {tie.owner}" if tie else None,
        shape=np.shape(sim.weights[name]),
        wiring=forward.wiring.kind if forward.wiring else "",
        unseen=_unseen(sim.circuit, forward),
    )


def _unseen(circuit: Circuit, forward: Projection) -> np.ndarray | None:
    """The taps that no position sees, broadcastable to the weights; None where every tap is seen."""
    source, target = (circuit.populations[name] for name in (forward.source, forward.target))
    shapes = source.input or source.shape, target.shape
    if forward.wiring is None or shapes[0] is None or shapes[1] is None:
        return None
    counts = forward.wiring.tap_counts(shapes[0], shapes[1])
    return None if counts is None or counts.all() else counts == 0
