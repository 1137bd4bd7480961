"""Who is served in which turn, in a mode that runs projections one at a time and whose projections rotate."""

from collections.abc import Sequence

from ...circuits.declarations import Mode
from ...circuits.graph import Graph
from ...circuits.plasticity import Plasticity
from .state import weights_name

Rules = tuple[Plasticity, ...]


def turns_of(mode: Mode, rules: Sequence[Plasticity], graph: Graph) -> tuple[Rules, ...]:
    """The rules of each turn of a round, in the order of the circuit.

    A projection and its reverse are run together, and so are projections that share a weight, since a turn must not
    move what another one moves. A turn serves `mode.share` projections, the last of a round perhaps fewer. A mode of
    which every run serves all has a single turn.
    """
    units = _units(rules, graph)
    share = mode.share or max(len(units), 1)
    firsts = range(0, max(len(units), 1), share)
    return tuple(tuple(rule for unit in units[first : first + share] for rule in unit) for first in firsts)


def _units(rules: Sequence[Plasticity], graph: Graph) -> list[list[Plasticity]]:
    """The rules that belong together: they concern one forward projection, or move one state."""
    units: list[tuple[set[str], list[Plasticity]]] = []
    for rule in rules:
        held = {graph.projections[rule.subject].reverse_of or rule.subject, weights_name(graph, rule.subject)}
        touched = [unit for unit in units if unit[0] & held]
        if not touched:
            units.append((held, [rule]))
            continue
        (first, together), *others = touched
        first |= held.union(*(names for names, _ in others))
        together += [*(found for _, rules in others for found in rules), rule]
        units = [unit for unit in units if not any(unit is other for other in others)]
    return [together for _, together in units]
