"""Who is jittered, in a mode that injects noise into the flow of data."""

from collections.abc import Mapping

from .declarations import Noise
from .graph import Graph
from .plasticity import read_plasticity
from .rules import NOISE, reads


def injected(graph: Graph, mode: str) -> Mapping[str, Noise]:
    """Forward population -> the noise on its somas: those whose noise some rule of the mode reads, and no others.

    A feedback neuron's noise is its partner's, of which a cross-projection tells it.
    """
    declared = graph.circuit.modes.get(mode)
    if declared is None or declared.injects is None:
        return {}
    found = dict[str, Noise]()
    for rule in read_plasticity(graph):
        if rule.mode != mode:
            continue
        for signal in reads(rule.expression):
            if signal.compartment == NOISE:
                name = graph.end(rule.subject, signal.side) if rule.kind == "weights" else rule.subject
                found[graph.populations[name].partner or name] = declared.injects
    return found
