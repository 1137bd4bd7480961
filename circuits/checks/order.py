"""In which order both streams run, or the cycle that stands in its way."""

from ..errors import CircuitError
from ..topology import CycleError, topological_order
from ..yamlfile import Path_
from .declared import Declared


def streams_in_order(declared: Declared) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Topological orders of the forward and the feedback stream, what carries a target after its output.

    Raises CircuitError that names a cycle.
    """
    populations = declared.populations
    joined = {
        (p.source, p.target): declared.places[label] for label, p in reversed(tuple(declared.projections.items()))
    }
    follows: dict[tuple[str, str], Path_] = {
        (population.target_of, name): ("populations", name, "target")
        for name, population in populations.items()
        if population.target_of is not None
    }
    edges = [*follows, *((p.source, p.target) for p in declared.projections.values())]
    try:
        order = topological_order(populations, edges)
    except CycleError as error:
        place = (joined | follows)[error.cycle[-1], error.cycle[0]]
        message = f"a circuit must have no cycle: recurrence is not supported yet (got {error})"
        raise CircuitError(declared.problem(message, *place)) from None
    forward = tuple(name for name in order if not populations[name].is_feedback)
    return forward, tuple(name for name in order if populations[name].is_feedback)
