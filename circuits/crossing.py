"""Cross-projections of an expanded circuit: those that its rules read, its pathway needs, and its modes clamp by."""

from collections.abc import Iterator
from functools import lru_cache

from .declarations import Circuit, CrossProjection, Population, Projection
from .errors import CircuitError
from .graph import Graph
from .plasticity import MODE_CONSTANTS
from .rules import ECHO, NOISE, RuleKind, Signal, parse_rule, reads


def cross_projections(circuit: Circuit, graph: Graph) -> Iterator[CrossProjection]:
    """The cross-projections that an explicit circuit needs, partner by partner. `graph` is its forward graph."""
    read = _apical_reads(circuit)
    clamped = tuple(name for name, mode in circuit.modes.items() if mode.clamp == "partner")
    data = [name for name, mode in circuit.modes.items() if not mode.isolates]
    erring = tuple(name for name in data if circuit.modes[name].errs)
    reached = {projection.target for projection in circuit.projections}
    for partner, population in circuit.populations.items():
        name = population.partner
        if name is None:
            continue
        if needs_gate(circuit.populations[name], reached=partner in reached):
            yield _cross(name, partner, "gate", None if len(erring) == len(data) else erring)
        for source, target in ((partner, name), (name, partner)):
            heard = [mode for mode in circuit.modes if (target, mode) in read]
            tells = {mode: circuit.modes[mode].teaches if target == partner else "rate" for mode in heard}
            for carries in dict.fromkeys(tells.values()):
                yield _cross(source, target, "teach", tuple(m for m in heard if tells[m] == carries), carries)
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


def _cross(
    source: str, target: str, role: str, modes: tuple[str, ...] | None, carries: str = "rate"
) -> CrossProjection:
    return CrossProjection.model_validate(
        {"from": source, "to": target, "carries": carries, "role": role, "modes": modes}
    )


def _apical_reads(circuit: Circuit) -> set[tuple[str, str]]:
    """(population, mode) for every population of which some rule reads, in that mode, what its partner sends it."""
    found: set[tuple[str, str]] = set()
    modulators = frozenset(circuit.modulators)
    for projection in circuit.projections:
        parameters = frozenset((*circuit.parameters, *projection.parameters, *MODE_CONSTANTS))
        for mode, rule in projection.rules.items() if projection.plastic else ():
            for signal in _reads(rule.dw, "synapse", parameters, modulators):
                end = _end(projection, signal)
                if signal.compartment == "apical" or signal == ECHO or _hears_noise(circuit, end, signal, mode):
                    found.add((end, mode))
    for name, population in circuit.populations.items():
        parameters = frozenset((*circuit.parameters, *population.parameters))
        for mode, rules in population.rules.items():
            for intrinsic in (rules.gain, rules.bias):
                if intrinsic and reads_partner(intrinsic.dw, parameters, modulators):
                    found.add((name, mode))
    return found


def _end(projection: Projection, signal: Signal) -> str:
    """The population whose partner has to be heard. An echo is one of what the postsynaptic neurons hear."""
    return projection.source if signal.side == "pre" and signal != ECHO else projection.target


def _hears_noise(circuit: Circuit, population: str, signal: Signal, mode: str) -> bool:
    """Whether the noise that a rule reads is a forward neuron's, of which its feedback partner has to hear."""
    injects = mode in circuit.modes and circuit.modes[mode].injects is not None
    return injects and signal.compartment == NOISE and circuit.populations[population].is_feedback


@lru_cache(maxsize=1024)
def _reads(text: str, kind: RuleKind, parameters: frozenset[str], modulators: frozenset[str]) -> frozenset[Signal]:
    """The signals in a rule; none for a rule that cannot be read, which `read_plasticity` reports with its place."""
    try:
        return reads(parse_rule(text, kind=kind, parameters=parameters, modulators=modulators, noise=True))
    except CircuitError:
        return frozenset()
