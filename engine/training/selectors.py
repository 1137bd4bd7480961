"""Whether what an experiment wants recorded is there to be recorded, in its systems' circuits, by these names."""

from collections.abc import Iterable, Sequence

from ...circuits.errors import suggest
from ...circuits.graph import Graph
from ..data import Dataset
from ..recorder import RecordingError
from ..recorder.selection import Selection, select_populations, select_projections
from .errors import ExperimentError
from .experiment import Experiment
from .recording import Enrolment


def check_record(graphs: Iterable[Graph], experiment: Experiment, dataset: Dataset) -> None:
    """Raises ExperimentError for a selector that matches nothing in any of the systems' circuits, at its place, and for
    names or filters that a file cannot have.

    Systems of one experiment share their forward names; feedback ones are each system's own.
    """
    graphs = list(graphs)
    record = experiment.record
    if (weights := record.weights) is not None:
        found = [select_projections(graph, weights.projections, weights.role, weights.wiring) for graph in graphs]
        narrowed = f"of role {weights.role}, wiring {' or '.join(weights.wiring)}"
        _check(found, weights.projections, experiment, "projections", "weights", narrowed)
    if (signals := record.signals) is not None:
        found = [select_populations(graph, signals.populations, signals.what) for graph in graphs]
        narrowed = f"with a {' or a '.join(signals.what)}"
        _check(found, signals.populations, experiment, "populations", "signals", narrowed)
    for graph in graphs:
        for recordable in Enrolment(graph, record, dataset).recordables:
            if problems := list(recordable.problems()):
                raise RecordingError("\n".join(experiment.placed(problem, "record") for problem in problems))


def _check(
    found: Sequence[Selection], patterns: Sequence[str], experiment: Experiment, kind: str, part: str, narrowed: str
) -> None:
    path = ("record", part, kind)
    idle = set.intersection(*(set(selection.idle) for selection in found))
    valid = list(dict.fromkeys(name for selection in found for name in selection.valid))
    problems = [
        experiment.placed(
            f"'{pattern}' must match a {kind[:-1]}. {suggest(pattern, valid, kind)}",
            *path,
            *([number] if len(patterns) > 1 else []),
        )
        for number, pattern in enumerate(patterns)
        if pattern in idle
    ]
    if not problems and not any(selection.names for selection in found):
        message = f"must match a {kind[:-1]} {narrowed} (got none). {kind}: {', '.join(valid)}"
        problems = [experiment.placed(message, *path)]
    if problems:
        raise ExperimentError("\n".join(problems))
