"""Rules as operations: each separable term becomes one batched contraction of a pre and a post activity."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ...circuits.graph import Graph
from ...circuits.plasticity import Plasticity
from ...circuits.rules import NOISE, REVERSE, Call, Expression, Number, Power, Product, Signal, Sum, Term
from ...circuits.wiring import Geometry
from .builder import ProgramBuilder, Ref
from .conduction import Compartments
from .errors import cannot

_GATED_BY_DRIVE = frozenset({Signal("partner", "gated"), Signal("own", "drive")})


@dataclass(frozen=True)
class View:
    """What one synapse or one intrinsic rule can see: compartments by side, its own weight, the modulators."""

    sides: Mapping[str, Compartments]
    weight: Ref
    subject: str
    reverse: Ref | None = None
    """The weights of the projection that runs the other way."""


class Arithmetic:
    """Lowers the algebra of rules to elementwise operations."""

    def __init__(self, builder: ProgramBuilder, view: View) -> None:
        self.builder = builder
        self.view = view

    def value(self, expression: Expression) -> Ref | float:
        """The expression's value; a plain number where no signal is in it."""
        build = self.builder
        match expression:
            case Number(value=number):
                return float(number)
            case Signal():
                return self.signal(expression)
            case Sum(terms=terms):
                return self._fold(terms, build.add, build.shift, 0.0)
            case Product(factors=factors):
                return self._fold(factors, build.multiply, build.scale, 1.0)
            case Power(base=base, exponent=exponent):
                inner = self.value(base)
                return inner**exponent if isinstance(inner, float) else build.power(inner, exponent)
            case Call(function="centre", argument=argument):
                inner = self.value(argument)
                return 0.0 if isinstance(inner, float) else self._centre(inner)
            case Call(function=function, argument=argument):
                inner = self.value(argument)
                assert not isinstance(inner, float), "normal forms evaluate functions of numbers"
                return build.function(inner, function)
            case _:
                raise AssertionError(f"{expression} is not bound")

    def ref(self, expression: Expression) -> Ref:
        """The value of an expression that holds a signal."""
        value = self.value(expression)
        assert not isinstance(value, float), expression
        return value

    def signal(self, signal: Signal) -> Ref:
        if signal.side == "w":
            return self.view.weight
        if signal == REVERSE:
            assert self.view.reverse is not None, "read_plasticity refuses rules that read a reverse that is not there"
            return self.view.reverse
        compartments = self.view.sides.get(signal.side, {})
        if signal.compartment not in compartments:
            missing = self._missing(signal)
            raise cannot(f"the rule of '{self.view.subject}' reads {signal}, but {missing}", self.view.subject)
        return compartments[signal.compartment]

    def _missing(self, signal: Signal) -> str:
        """Why a signal is not there."""
        if signal.compartment == "apical" or (signal.side == "partner" and "partner" not in self.view.sides):
            return "no cross-projection with role teach feeds it in this mode"
        if signal.compartment == NOISE:
            return "noise is injected where the forward projection starts, at the other end of the synapse"
        return "there is no such activity in this mode"

    def _fold(
        self,
        parts: tuple[Expression, ...],
        join: Callable[[Ref, Ref], Ref],
        join_number: Callable[[Ref, float], Ref],
        neutral: float,
    ) -> Ref | float:
        """A sum (neutral 0) or a product (neutral 1), its numbers gathered into one."""
        number, result = neutral, None
        for part in parts:
            value = self.value(part)
            if isinstance(value, float):
                number = number + value if neutral == 0.0 else number * value
            else:
                result = value if result is None else join(result, value)
        return number if result is None else join_number(result, number)

    def _centre(self, x: Ref) -> Ref:
        mean = self.builder.over_ranks(self.builder.batch_mean(x, "mean"), x)
        return self.builder.offset(x, self.builder.scale(mean, -1.0))


class Drives:
    """Lowers the terms of rules to drives (dw, decay left to consolidation)."""

    def __init__(self, builder: ProgramBuilder, graph: Graph) -> None:
        self.builder = builder
        self.graph = graph

    # ---- synapses

    def synapses(self, plasticity: Plasticity, view: View, geometry: Geometry, *, reverse: bool) -> Ref | None:
        """The drive of a projection's weights, or None for a rule of decay alone. `reverse`: its pre stands above."""
        drives = [self._synapse_term(term, plasticity, view, geometry, reverse) for term in plasticity.terms]
        return self.builder.total(drives) if drives else None

    def _synapse_term(self, term: Term, plasticity: Plasticity, view: View, geometry: Geometry, reverse: bool) -> Ref:
        build, arithmetic = self.builder, Arithmetic(self.builder, view)
        below, above = (term.post, term.pre) if reverse else (term.pre, term.post)
        if below is None and above is None:
            return self._alone(term, arithmetic, geometry)
        lower = None if below is None else arithmetic.ref(below)
        upper = None if above is None else arithmetic.ref(above)
        # Ones are masked by the padding like any activity: a synapse onto padding does not exist.
        upper = build.ones(lower, geometry.upper) if upper is None and lower is not None else upper
        lower = build.ones(upper, geometry.lower) if lower is None and upper is not None else lower
        assert lower is not None
        assert upper is not None
        modulator = None if term.modulator is None else arithmetic.ref(term.modulator)
        if modulator is not None and build[modulator].batched:
            upper, modulator = build.multiply(upper, modulator), None
        drive = build.correlate(lower, upper, geometry)
        if plasticity.rule.positions == "mean" and geometry.positions > 1:
            drive = build.per_tap(drive, geometry, "mean")
        drive = build.scale(drive, term.coefficient)
        drive = drive if modulator is None else build.multiply(drive, modulator)
        return drive if term.weight is None else build.multiply(drive, arithmetic.ref(term.weight))

    def _alone(self, term: Term, arithmetic: Arithmetic, geometry: Geometry) -> Ref:
        """A term without pre and post: it applies once per weight, to taps that exist."""
        value = self._of_weight(term, arithmetic)
        return value if geometry.unseen is None else self.builder.per_tap(value, geometry, "seen")

    def _of_weight(self, term: Term, arithmetic: Arithmetic) -> Ref:
        """c * mod * h(w), a modulator of the samples averaged over the batch; h is 1 in the weight's shape where the
        term has none.
        """
        build = self.builder
        if term.weight is not None:
            value = arithmetic.ref(term.weight)
        else:
            value = build.shift(build.scale(arithmetic.view.weight, 0.0), 1.0)
        if term.modulator is not None:
            modulator = arithmetic.ref(term.modulator)
            by = build.batch_mean(modulator, "keep") if build[modulator].batched else modulator
            value = build.multiply(value, by)
        return build.scale(value, term.coefficient)

    # ---- gains and biases

    def intrinsic(self, plasticity: Plasticity, view: View, normalized_sums: tuple[Ref, Ref] | None) -> Ref | None:
        """The drive of a population's gains or biases: batch means, positions summed or averaged."""
        drives = [self._intrinsic_term(term, plasticity, view, normalized_sums) for term in plasticity.terms]
        return self.builder.total(drives) if drives else None

    def _intrinsic_term(
        self, term: Term, plasticity: Plasticity, view: View, normalized_sums: tuple[Ref, Ref] | None
    ) -> Ref:
        build, arithmetic = self.builder, Arithmetic(self.builder, view)
        positions = plasticity.rule.positions
        if term.post is None:
            return self._of_weight(term, arithmetic)
        modulator = None if term.modulator is None else arithmetic.ref(term.modulator)
        is_sum = positions == "sum" and modulator is None and "partner" in arithmetic.view.sides
        drive = self._known_sum(term.post, normalized_sums) if is_sum else None
        if drive is None:
            activity = arithmetic.ref(term.post)
            activity = activity if modulator is None else build.multiply(activity, modulator)
            drive = build.batch_mean(activity, positions)
        drive = build.scale(drive, term.coefficient)
        return drive if term.weight is None else build.multiply(drive, arithmetic.ref(term.weight))

    def _known_sum(self, expression: Expression, normalized_sums: tuple[Ref, Ref] | None) -> Ref | None:
        """The two sums that undoing a normalization has made anyway, where the rule asks for one of them."""
        if normalized_sums is None:
            return None
        if isinstance(expression, Product) and frozenset(expression.factors) == _GATED_BY_DRIVE:
            return normalized_sums[0] if len(expression.factors) == 2 else None
        return normalized_sums[1] if expression == Signal("partner", "gated") else None
