"""The feedback stream as operations: errors from the outputs back through the partners."""

from functools import partial

from ...circuits.errors import CircuitError
from ...circuits.graph import Graph
from ...circuits.locality import conducts, taught
from ...circuits.plasticity import answers_linearly
from .builder import Ref
from .errors import cannot
from .forward_stream import ForwardStream
from .normalization import normalize_back_together


class FeedbackStream:
    """What comes back to a forward stream that has been built. Each population leaves its compartments behind."""

    def __init__(self, forward: ForwardStream) -> None:
        self.forward = forward
        self.conduction, self.labels = forward.conduction, forward.labels
        self.builder, self.graph, self.mode = forward.builder, forward.graph, forward.conduction.mode
        self.compartments = forward.compartments
        self.normalized_sums: dict[str, tuple[Ref, Ref]] = {}
        """By population: the summed gated * drive and the summed gated, which fall out of undoing the normalization."""
        declared = self.graph.circuit.modes.get(self.mode)
        self._errs = declared is None or declared.errs

    def build(self) -> None:
        """All populations, outputs first, and the cross-projections that teach."""
        for name in self.graph.feedback:
            if driven(self.graph, name, self.mode):
                self._follow(name)
            elif not self._errs:
                raise undriven(name, self.mode)
            else:
                self._err(name)
        for name in (*self.graph.feedback, *self.graph.forward):
            told = taught(self.graph, name, self.mode)
            if told is not None:
                self._listen(name, told)

    def _listen(self, name: str, told: str) -> None:
        """What a population hears of its partner: the compartment `told` and, in feedback neurons, injected noise."""
        own = self.graph.populations[name].partner
        partner = self.compartments[own or self.graph.partners[name]]
        self.compartments[name]["apical"] = partner[told]
        if own is not None and "noise" in partner:
            self.compartments[name]["noise"] = partner["noise"]

    def _follow(self, name: str) -> None:
        """A feedback population that is clamped to its partner: its rate is what the partner answers."""
        partner = self.graph.populations[name].partner
        assert partner is not None
        mode, seen = self.graph.circuit.modes[self.mode], self.compartments[partner]
        linear = answers_linearly(self.graph.populations[partner], mode)
        arriving = self.conduction.current(name)
        if arriving is None:
            arriving = self.builder.scale(self.builder.ones(seen["soma"], self.graph.shapes[name]), 0.0)
        self.compartments[name] = {"soma": arriving, "rate": seen["soma"] if linear else seen["rate"]}

    def _err(self, name: str) -> None:
        partner = self.graph.populations[name].partner
        assert partner is not None
        build, answer = self.builder, self.forward.before_transfer[partner]
        loss = self.graph.populations[partner].output_loss
        arriving = self.conduction.current(name)
        if loss == "squared":
            own = build.error(self.compartments[partner]["rate"], self.labels.of(partner), loss)
            arriving = own if arriving is None else build.add(arriving, own)
        gated = None if arriving is None else self._gate(name, partner, arriving)
        if loss in ("cross_entropy", "binary_cross_entropy"):
            # These losses give the error before the transfer function: nothing is left to gate.
            error = build.error(answer, self.labels.of(partner), loss)
            gated = error if gated is None else build.add(gated, error)
        if gated is None:
            gated = build.scale(build.ones(answer, self.graph.shapes[name]), 0.0)
        soma = gated if arriving is None else arriving
        self.compartments[name] = {"soma": soma, "gated": gated, "rate": self._undo(name, partner, gated)}

    def _gated_by_partner(self, name: str) -> bool:
        return any(
            cross.role == "gate" and conducts(self.graph, cross.modes, self.mode)
            for cross in self.graph.cross_onto(name)
        )

    def _gate(self, name: str, partner: str, soma: Ref) -> Ref:
        if not self._gated_by_partner(name):
            return soma
        transfer = self.graph.populations[partner].transfer
        if transfer == "softmax":
            raise cannot("a softmax output must be last: no error can pass back through it", f"populations.{partner}")
        if partner in self.forward.transmitted:  # the derivative of what the neuron really transmits
            soma = self.builder.multiply(soma, self.forward.transmitted[partner])
        return self.builder.gate(soma, self.forward.before_transfer[partner], self.forward.answers[partner], transfer)

    def _undo(self, name: str, partner: str, gated: Ref) -> Ref:
        """The error at the partner's soma, from the error behind its normalization."""
        if partner not in self.forward.normalization or not self._gated_by_partner(name):
            return gated
        gain, mean, deviation = self.forward.normalization[partner]
        undo = (
            partial(normalize_back_together, self.builder) if self.forward.synchronise else self.builder.normalize_back
        )
        error, by_drive, alone = undo(gated, self.compartments[partner]["soma"], gain, mean, deviation)
        self.normalized_sums[partner] = (by_drive, alone)
        return error


def driven(graph: Graph, population: str, mode: str) -> bool:
    """Whether a cross-projection clamps a feedback population to its partner in a mode."""
    return any(cross.role == "drive" and conducts(graph, cross.modes, mode) for cross in graph.cross_onto(population))


def undriven(population: str, mode: str) -> CircuitError:
    """What is wrong with a feedback population that should be clamped to its partner and is not."""
    remedy = "say clamp: partner in the mode, or declare a cross-projection with role drive"
    return cannot(f"nothing drives '{population}' in mode '{mode}': {remedy}", population)
