"""The locality proof: which synapses could exist in a brain that hands no weights around, and why the others could not.

A static proof over the explicit circuit. A projection is *local* when (1) its rules name only its own pre and post
compartments, its own w and scalar parameters - the grammar admits nothing else -, (2) every `apical` that its rules
read is fed by a declared cross-projection from the partner in that mode, and (3) its weights are its own. Departures
that a model makes on purpose (weight sharing over positions, batch statistics, max-pool switches, global modulators)
are listed apart: they move no synapse's value to another synapse.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

from .declarations import Circuit, Modulator
from .expansion import expand
from .graph import Graph, build_graph
from .plasticity import Plasticity, read_plasticity
from .rules import ECHO, NOISE, REVERSE, Signal, reads, to_text, uses_centre
from .transfers import TRANSFERS
from .wiring import Conv, Dense, Pool
from .yamlfile import Document

WHAT_A_TIE_TAKES = {"transpose_of": "transpose", "sign_of": "scaled signs"}
HOW_LARGE_SIGNS_ARE = {
    "fan_out": "",
    "initial_rms": "",
    "fixed": ", with magnitudes of its own that never change",
    "redrawn": ", with magnitudes of its own, drawn anew at every step",
}
_ECHOED = "what its presynaptic neuron would get back through the weights of all synapses that leave it"


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason why something is not local (`transport`, `unfed`), or one departure made on purpose (`departure`)."""

    kind: Literal["transport", "unfed", "departure"]
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the proof says of one projection or population."""

    subject: str
    what: Literal["projection", "population"]
    rules: dict[str, str]
    findings: tuple[Finding, ...]
    constraint: str = ""
    """Of a projection: what its weights are kept to."""

    @property
    def local(self) -> bool:
        return all(finding.kind == "departure" for finding in self.findings)


@dataclass(frozen=True)
class LocalityReport:
    """The verdicts on a whole circuit."""

    circuit: str
    system: str
    verdicts: tuple[Verdict, ...]

    @cached_property
    def local(self) -> bool:
        """True where every synapse is local."""
        return all(verdict.local for verdict in self.verdicts)

    @cached_property
    def transports_weights(self) -> bool:
        """True where some synapse's value or change depends on another synapse's weight."""
        return any(finding.kind == "transport" for verdict in self.verdicts for finding in verdict.findings)

    @property
    def violations(self) -> tuple[tuple[str, Finding], ...]:
        """(subject, finding) for everything that is not local."""
        return tuple((v.subject, f) for v in self.verdicts for f in v.findings if f.kind != "departure")

    @property
    def departures(self) -> tuple[tuple[str, Finding], ...]:
        """(subject, finding) for everything that departs from locality on purpose, weight transport apart."""
        return tuple((v.subject, f) for v in self.verdicts for f in v.findings if f.kind == "departure")

    def as_data(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return {
            "circuit": self.circuit,
            "system": self.system,
            "local": self.local,
            "transports_weights": self.transports_weights,
            "verdicts": [{**asdict(verdict), "local": verdict.local} for verdict in self.verdicts],
        }


def prove(circuit: Circuit, document: Document | None = None) -> LocalityReport:
    """Judge every projection and population of an explicit circuit.

    Raises CircuitError where the circuit does not hold together or a rule cannot be read: a rule that names another
    population is refused there, since a synapse has no way to see it.
    """
    graph = build_graph(circuit, document)
    judge = _Judge(graph, read_plasticity(graph, document))
    verdicts = (*judge.projections(), *judge.populations())
    return LocalityReport(circuit.name, circuit.system, tuple(verdicts))


class _Judge:
    def __init__(self, graph: Graph, plasticity: tuple[Plasticity, ...]) -> None:
        self.graph = graph
        self.synaptic: dict[str, list[Plasticity]] = {}
        """By projection label; apart from what populations learn, which may be called the same."""
        self.intrinsic: dict[str, list[Plasticity]] = {}
        for found in plasticity:
            learning = self.synaptic if found.kind == "weights" else self.intrinsic
            learning.setdefault(found.subject, []).append(found)
        self.sharing: dict[str, list[str]] = {}
        """By owner: every projection whose weights are one state with the owner's, the owner among them."""
        for label, projection in graph.projections.items():
            if projection.tie is None or projection.tie.kind == "same_as":
                self.sharing.setdefault(self._owner(label), []).append(label)
        self.moving = {self._owner(label) for label in self.synaptic}
        """The owners whose weights some rule moves, be it the rule of a projection that shares them."""

    # ---- projections

    def projections(self) -> Iterator[Verdict]:
        for label in self.graph.projections:
            rules = {p.mode: to_text(p.expression) for p in self.synaptic.get(label, ())}
            findings = (*self._tie(label), *self._unfed(label), *self._sharing(label), *self._rules(label))
            yield Verdict(label, "projection", rules, findings, self._constraint(label))

    def _constraint(self, label: str) -> str:
        """What a projection's weights are kept to, and where Dale's law says less than it seems to."""
        projection = self.graph.projections[label]
        source, owned = self.graph.populations[projection.source], projection.tie is None
        held = self.graph.constraint(label) if owned and self.graph.weighted(label) else None
        if not held:
            return ""
        signed = source.sign is not None and not source.is_feedback and not source.is_source
        both_ways = signed and not TRANSFERS[source.transfer].positive
        return f"{held}{f', from rates of either sign ({source.transfer})' if both_ways else ''}"

    def _tie(self, label: str) -> Iterator[Finding]:
        owner, tie = self._owner(label), self.graph.projections[label].tie
        if tie is not None and tie.kind != "same_as":
            what, how_large = WHAT_A_TIE_TAKES[tie.kind], HOW_LARGE_SIGNS_ARE[tie.magnitude]
            how, meaning = f"{tie.kind} tie", f"its weights are the {what} of those of '{tie.owner}'{how_large}"
        elif others := [f"'{other}'" for other in self.sharing[owner] if other != label]:
            # Whoever declares it, the tie holds for all: each one's drive moves the weights of every other.
            how, meaning = "same_as tie", f"it shares its weights with {', '.join(others)}"
        else:
            return
        if owner in self.moving:
            yield Finding("transport", f"{how}: {meaning}")
        else:
            yield Finding("departure", f"{meaning}, which never change: a constant, not a tie")

    def _owner(self, label: str) -> str:
        """The projection in whose state the weights of `label` live, ties of ties resolved."""
        tie = self.graph.projections[label].tie
        return label if tie is None else self._owner(tie.owner)

    def _unfed(self, label: str) -> Iterator[Finding]:
        projection = self.graph.projections[label]
        ends = {"pre": projection.source, "post": projection.target}
        for found in self.synaptic.get(label, ()):
            for signal in sorted(reads(found.expression), key=str):
                end = projection.target if signal == ECHO else ends.get(signal.side, "")
                if signal.compartment == "apical" or signal == ECHO or self._hears_noise(end, signal, found.mode):
                    yield from self._missing_cross(end, found.mode, str(signal))

    def _hears_noise(self, population: str, signal: Signal, mode: str) -> bool:
        """Whether the noise that is read was injected into the partner of `population`."""
        injects = self.graph.circuit.modes[mode].injects is not None
        return injects and signal.compartment == NOISE and self.graph.populations[population].is_feedback

    def _missing_cross(self, population: str, mode: str, signal: str) -> Iterator[Finding]:
        if not fed(self.graph, population, mode):
            yield Finding(
                "unfed",
                f"in mode '{mode}' its rule reads {signal}, but no cross-projection with role teach feeds the "
                f"apical compartment of '{population}' from its partner",
            )

    def _sharing(self, label: str) -> Iterator[Finding]:
        wiring = self.graph.geometries[label].wiring
        if isinstance(wiring, Conv) or (isinstance(wiring, Dense) and wiring.shared):
            yield Finding("departure", "weights are shared over positions")
        if isinstance(wiring, Pool) and wiring.over == "max" and self.graph.is_feedback(label):
            yield Finding("departure", "errors pass back through the switches of the max pool")

    def _rules(self, label: str) -> Iterator[Finding]:
        for found in self.synaptic.get(label, ()):
            if uses_centre(found.expression):
                yield Finding("departure", f"in mode '{found.mode}' its rule uses a mean over the batch (centre)")
            for signal in sorted(reads(found.expression), key=str):
                if signal.side == "mod":
                    yield self._modulated(found, signal)
                elif signal == REVERSE:
                    other = self.graph.reverses[label]
                    yield Finding("transport", f"in mode '{found.mode}' its rule reads {signal}, a weight of '{other}'")
                elif signal == ECHO:
                    yield Finding("transport", f"in mode '{found.mode}' its rule reads {signal}, {_ECHOED}")

    def _modulated(self, found: Plasticity, signal: Signal) -> Finding:
        made = _made_of(self.graph.circuit.modulators[signal.compartment])
        read = f"in mode '{found.mode}' its rule reads the global modulator {signal}{made}"
        return Finding("departure", read)

    # ---- populations

    def populations(self) -> Iterator[Verdict]:
        for name, population in self.graph.populations.items():
            rules = {f"{p.mode}.{p.kind}": to_text(p.expression) for p in self.intrinsic.get(name, ())}
            findings = (*self._statistics(name), *self._gate(name), *self._intrinsic(name))
            if not (population.is_source and not findings):
                yield Verdict(name, "population", rules, findings)

    def _statistics(self, name: str) -> Iterator[Finding]:
        if self.graph.populations[name].normalizes:
            yield Finding("departure", "normalizes by statistics of the batch")

    def _gate(self, name: str) -> Iterator[Finding]:
        partner = self.graph.populations[name].partner
        gated = any(cross.role == "gate" for cross in self.graph.cross_onto(name))
        if partner and gated and self.graph.populations[partner].normalizes:
            yield Finding(
                "departure", f"undoing the normalization of '{partner}' takes its batch statistics and its gain"
            )
        if partner and gated and self.graph.populations[partner].dropout:
            yield Finding("departure", f"its gate hands on who dropped out of '{partner}', one number a neuron")

    def _intrinsic(self, name: str) -> Iterator[Finding]:
        modulated = dict[Finding, None]()  # gain and bias often read the same
        for found in self.intrinsic.get(name, ()):
            for signal in sorted(reads(found.expression), key=str):
                if signal.side == "partner" or signal.compartment == "apical":
                    yield from self._missing_cross(name, found.mode, f"{signal} ({found.kind})")
                elif signal.side == "mod":
                    modulated[self._modulated(found, signal)] = None
        yield from modulated


def _made_of(modulator: Modulator) -> str:
    """What a modulator that the circuit works out is made of, as the end of a sentence."""
    if modulator.of is None:
        return ""
    baseline = {"noiseless": ", less that of a pass without noise", "running": ", less its running mean"}
    return f", minus the loss of each {modulator.per}{baseline.get(modulator.baseline, '')}"


def fed(graph: Graph, population: str, mode: str) -> bool:
    """Whether a cross-projection from the partner feeds a population's apical compartment in a mode."""
    return taught(graph, population, mode) is not None


def taught(graph: Graph, population: str, mode: str) -> str | None:
    """The compartment of its partner that a population hears of in a mode; None where no cross-projection teaches."""
    crosses = (cross for cross in graph.cross_onto(population) if cross.role == "teach")
    return next((cross.carries for cross in crosses if conducts(graph, cross.modes, mode)), None)


def conducts(graph: Graph, modes: tuple[str, ...] | None, mode: str) -> bool:
    """Whether something declared for `modes` is on in a mode; None means every mode in which data flow."""
    return mode in modes if modes is not None else not graph.circuit.modes[mode].isolates


def check(circuit: Circuit) -> LocalityReport:
    """The locality proof of a circuit in either form. Raises CircuitError for one that does not hold together."""
    return prove(expand(circuit))
