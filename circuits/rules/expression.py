"""The algebra of rules: what remains of an equation once its text is read. Frozen, hashable, engine-free."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Number:
    """A literal, kept as the exact rational of its text."""

    value: Fraction


@dataclass(frozen=True, slots=True)
class Parameter:
    """A named scalar: the learning system's, the projection's, or the mode's own (variance, slope)."""

    name: str


@dataclass(frozen=True, slots=True)
class Signal:
    """One compartment of one neuron that the synapse can see.

    `side` is `pre`, `post`, `w` (the synapse's own weight, compartment ""), `reverse` (the weight of its reverse,
    compartment `w`), `mod` (a modulator, compartment its name), or, in intrinsic rules of gains and biases, `own` (the
    neuron itself) and `partner`.
    """

    side: str
    compartment: str = ""

    def __str__(self) -> str:
        if self.side in ("w", "own"):
            return self.compartment or "w"
        return f"{self.side}.{self.compartment}"


@dataclass(frozen=True, slots=True)
class Sum:
    terms: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Product:
    factors: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Power:
    base: "Expression"
    exponent: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the closed table, of things of one side; `centre` subtracts the neuron's own mean."""

    function: str
    argument: "Expression"


Expression: TypeAlias = Number | Parameter | Signal | Sum | Product | Power | Call


def children(expression: Expression) -> tuple[Expression, ...]:
    """The direct parts of an expression."""
    match expression:
        case Sum(terms=parts) | Product(factors=parts):
            return parts
        case Power(base=part) | Call(argument=part):
            return (part,)
        case _:
            return ()


def walk(expression: Expression) -> Iterator[Expression]:
    """The expression and everything inside it, outermost first."""
    yield expression
    for part in children(expression):
        yield from walk(part)


def signals_of(expression: Expression) -> frozenset[Signal]:
    """Every signal that stands anywhere inside the expression, the weight included."""
    return frozenset(part for part in walk(expression) if isinstance(part, Signal))


def parameters_of(expression: Expression) -> frozenset[str]:
    """The names of all parameters that must be bound before the expression has a value."""
    return frozenset(part.name for part in walk(expression) if isinstance(part, Parameter))


# One spelling for one meaning: whoever builds expressions does it with the four functions below, so that
# nested sums and products are flat, the number of a product stands first, and `to_text` reads back to what
# it was written from.


def add(*terms: Expression) -> Expression:
    """The sum of terms, nested sums flattened; one term is itself, none is 0."""
    flat = tuple(part for term in terms for part in (term.terms if isinstance(term, Sum) else (term,)))
    if not flat:
        return Number(Fraction(0))
    return flat[0] if len(flat) == 1 else Sum(flat)


def multiply(*factors: Expression) -> Expression:
    """The product of factors, nested products flattened, numbers gathered in front (left out where 1)."""
    coefficient, flat = Fraction(1), list[Expression]()
    for factor in factors:
        for part in factor.factors if isinstance(factor, Product) else (factor,):
            if isinstance(part, Number):
                coefficient *= part.value
            else:
                flat.append(part)
    if coefficient != 1 or not flat:
        flat.insert(0, Number(coefficient))
    return flat[0] if len(flat) == 1 else Product(tuple(flat))


def negate(expression: Expression) -> Expression:
    """The product of -1 and the expression; its own inverse."""
    return multiply(Number(Fraction(-1)), expression)


def power(base: Expression, exponent: int) -> Expression:
    """The base to a whole exponent; the exponents of nested powers are multiplied."""
    if isinstance(base, Power):
        return power(base.base, base.exponent * exponent)
    return base if exponent == 1 else Power(base, exponent)


@dataclass(frozen=True, slots=True)
class Term:
    """One separable term, coefficient * mod * f(pre) * g(post) * h(w). An absent side is None and means 1.

    In intrinsic rules the whole signal part stands in `post` (a neuron sees only itself and its partner,
    one to one).
    """

    coefficient: float
    pre: Expression | None = None
    post: Expression | None = None
    weight: Expression | None = None
    modulator: Expression | None = None

    @property
    def is_decay(self) -> bool:
        """True for a term c * w: no signal, the weight itself, to the first power."""
        return self.pre is None and self.post is None and self.modulator is None and self.weight == Signal("w")
