"""Cross-projections of an expanded circuit: those that its rules read, its pathway needs, and its modes clamp by."""

from collections.abc import Iterator
from functools import lru_cache

from .declarations import Circuit, CrossProjection, Population, Projection
from .errors import CircuitError
from .graph import Graph
from .plasticity import MODE_CONSTANTS
from .rules import RuleKind, Signal, parse_rule, reads


def cross_projections(circuit: Circuit, graph: Graph) -> Iterator[CrossProjection]:
    """The cross-projections that an explicit circuit needs, partner by partner. `graph` is its forward graph."""
    read = _apical_reads(circuit)
    clamped = tuple(name for name, mode in circuit.modes.items() if mode.clamp == "partner")
    reached = {projection.target for projection in circuit.projections}
    for partner, population in circuit.populations.items():
        name = population.partner
        if name is None:
            continue
        if needs_gate(circuit.populations[name], reached=partner in reached):
            yield _cross(name, partner, "gate", None)
        for source, target in ((partner, name), (name, partner)):
            modes = tuple(mode for mode in circuit.modes if (target, mode) in read)
            if modes:
                yield _cross(source, target, "teach", modes)
        if clamped:
            yield _cross(name, partner, "drive", clamped)


def needs_gate(population: Population, *, reached: bool) -> bool:
    """Whether a population's feedback partner needs its local derivative. `reached`: whether projections reach it.

    Not where the population is linear, does not normalize and lets no neuron drop out; nor where cross-entropy, which
    gives the error before the transfer function, is all that its partner hears. Errors that reach the partner by
    projections are errors at the population's rate, and have to pass its transfer function on their way down.
    """
    at_rate = reached or population.output_loss not in ("cross_entropy", "binary_cross_entropy")
    return population.normalizes or population.dropout > 0 or (population.transfer != "linear" and at_rate)


def reads_partner(text: str, parameters: frozenset[str], modulators: frozenset[str]) -> bool:
    """Whether an intrinsic rule reads its neuron's partner."""
    signals = _reads(text, "intrinsic", parameters, modulators)
    return any(signal.side == "partner" or signal.compartment == "apical" for signal in signals)


def _cross(source: str, target: str, role: str, modes: tuple[str, ...] | None) -> CrossProjection:
    return CrossProjection.model_validate({"from": source, "to": target, "role": role, "modes": modes})


def _apical_reads(circuit: Circuit) -> set[tuple[str, str]]:
    """(population, mode) for every apical compartment that some rule reads in that mode."""
    found: set[tuple[str, str]] = set()
    modulators = frozenset(circuit.modulators)
    for projection in circuit.projections:
        parameters = frozenset((*circuit.parameters, *projection.parameters, *MODE_CONSTANTS))
        for mode, rule in projection.rules.items() if projection.plastic else ():
            for signal in _reads(rule.dw, "synapse", parameters, modulators):
                if signal.compartment == "apical":
                    found.add((_end(projection, signal), mode))
    for name, population in circuit.populations.items():
        parameters = frozenset((*circuit.parameters, *population.parameters))
        for mode, rules in population.rules.items():
            for intrinsic in (rules.gain, rules.bias):
                if intrinsic and reads_partner(intrinsic.dw, parameters, modulators):
                    found.add((name, mode))
    return found


def _end(projection: Projection, signal: Signal) -> str:
    return projection.source if signal.side == "pre" else projection.target


@lru_cache(maxsize=1024)
def _reads(text: str, kind: RuleKind, parameters: frozenset[str], modulators: frozenset[str]) -> frozenset[Signal]:
    """The signals in a rule; none for a rule that cannot be read, which `read_plasticity` reports with its place."""
    try:
        return reads(parse_rule(text, kind=kind, parameters=parameters, modulators=modulators, noise=True))
    except CircuitError:
        return frozenset()
