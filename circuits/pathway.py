"""Where errors go: which forward populations get a feedback partner under a learning system and its overrides."""

from collections.abc import Mapping

from .declarations import LearningSystem
from .graph import Graph


def partnered(graph: Graph, system: LearningSystem, systems: Mapping[str, LearningSystem]) -> tuple[str, ...]:
    """Forward populations that errors reach, outputs included, sources first.

    `systems` gives every projection's learning system, overrides included. On the `direct` pathway errors reach all
    that learns. On the others they start at the outputs and run down every projection whose system has a pathway: a
    supervised readout on an unsupervised stack gives the readout a partner and nothing below it.
    """
    if system.feedback.pathway == "direct":
        reached = {name for name in graph.forward if graph.learns(name)} | set(graph.outputs)
    else:
        reached = _led_down(graph, {label for label, own in systems.items() if own.feedback.pathway != "none"})
    return tuple(name for name in graph.forward if name in reached and not graph.populations[name].is_source)


def _led_down(graph: Graph, conducting: set[str]) -> set[str]:
    """Populations with a conducting input from which conducting projections lead to an output."""
    reached, pending = set[str](), list(graph.outputs)
    while pending:
        name = pending.pop()
        inputs = [label for label in graph.into(name) if label in conducting]
        if inputs and name not in reached:
            reached.add(name)
            pending.extend(graph.projections[label].source for label in inputs)
    return reached
