"""Expression -> sum of separable terms c * mod * f(pre) * g(post) * h(w), which engines receive.

Expansion is arithmetic of sparse polynomials over the rationals: each signal and each call of a function is one opaque
unknown. Coefficients become floats at the very end, so 0.1 + 0.2 - 0.3 is exactly nothing.
"""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import TypeAlias

from ..errors import CircuitError, Problem
from .binding import bind, select_parameters
from .compartments import RuleKind
from .describe import to_text
from .expression import (
    Call,
    Expression,
    Number,
    Power,
    Product,
    Signal,
    Sum,
    Term,
    children,
    multiply,
    power,
    signals_of,
)
from .lexical import LARGEST

MAX_TERMS = 64

Polynomial: TypeAlias = dict[tuple[int, ...], Fraction]
"""Exponents of the unknowns, in one order -> coefficient, never 0."""

_SIDES: dict[RuleKind, dict[str, str]] = {
    "synapse": {"pre": "pre", "post": "post", "w": "weight", "reverse": "weight", "mod": "modulator"},
    "intrinsic": {"own": "post", "partner": "post", "w": "weight", "mod": "modulator"},
}


def normal_form(
    expression: Expression, parameters: Mapping[str, float], *, kind: RuleKind = "synapse"
) -> tuple[Term, ...]:
    """The rule as separable terms, parameters bound, like terms merged, zero terms dropped.

    The order depends on the terms alone, not on how the rule was written: terms with signals by their text,
    then terms in `w` and constants. Raises CircuitError for a parameter without a finite value, a
    denominator that is zero, a coefficient beyond the floats, and more than 64 terms at any stage of the
    expansion.
    """
    selected = select_parameters(expression, parameters)
    return _normal_form(expression, tuple(selected.items()), kind)


def split_decay(terms: tuple[Term, ...]) -> tuple[tuple[Term, ...], float]:
    """The terms without those of the form c * w, and their decay lambda = -sum of c, for consolidation."""
    drive = tuple(term for term in terms if not term.is_decay)
    return drive, 0.0 - sum(term.coefficient for term in terms if term.is_decay)


@lru_cache(maxsize=4096)  # a deep network states the same few rules at hundreds of projections
def _normal_form(expression: Expression, parameters: tuple[tuple[str, float], ...], kind: RuleKind) -> tuple[Term, ...]:
    bound = bind(expression, dict(parameters))
    terms = [_term(coefficient, factors, kind) for coefficient, factors in _expand(bound, expression)]
    return tuple(sorted((term for term in terms if term.coefficient), key=_order))


def _expand(bound: Expression, written: Expression) -> list[tuple[Fraction, list[Expression]]]:
    """The polynomial's terms, each a coefficient and powers of signals and calls."""
    atoms = sorted(_atoms(bound), key=to_text)
    unknown = {atom: tuple(int(atom == other) for other in atoms) for atom in atoms}
    constant = (0,) * len(atoms)

    def capped(polynomial: Polynomial) -> Polynomial:
        if len(polynomial) > MAX_TERMS:
            raise CircuitError(Problem(f"the rule '{_short(written)}' expands to more than {MAX_TERMS} terms"))
        return polynomial

    def expand(part: Expression) -> Polynomial:
        match part:
            case Number(value):
                return {constant: value} if value else {}
            case Signal() | Call():
                return {unknown[part]: Fraction(1)}
            case Sum(terms):
                return capped(_merged(monomial for term in terms for monomial in expand(term).items()))
            case Product(factors):
                product: Polynomial = {constant: Fraction(1)}
                for factor in factors:
                    product = capped(_times(product, expand(factor)))
                return product
            case Power(base, exponent):
                return expand(Product((base,) * exponent))
            case _:
                raise AssertionError(f"{part!r} is not bound")

    return [
        (coefficient, [power(atom, exponent) for atom, exponent in zip(atoms, exponents, strict=True) if exponent])
        for exponents, coefficient in expand(bound).items()
    ]


def _merged(monomials: Iterable[tuple[tuple[int, ...], Fraction]]) -> Polynomial:
    """The sum of monomials, those that cancel left out."""
    found: Polynomial = {}
    for exponents, coefficient in monomials:
        found[exponents] = found.get(exponents, Fraction(0)) + coefficient
    return {exponents: coefficient for exponents, coefficient in found.items() if coefficient}


def _times(one: Polynomial, other: Polynomial) -> Polynomial:
    return _merged(
        (tuple(map(int.__add__, exponents, more)), coefficient * factor)
        for exponents, coefficient in one.items()
        for more, factor in other.items()
    )


def _atoms(expression: Expression) -> set[Expression]:
    """The outermost signals and calls: what expansion does not look into."""
    if isinstance(expression, Signal | Call):
        return {expression}
    return set[Expression]().union(*map(_atoms, children(expression)))


def _term(coefficient: Fraction, factors: list[Expression], kind: RuleKind) -> Term:
    sides: dict[str, list[Expression]] = {}
    for factor in factors:
        signal = next(iter(signals_of(factor)))  # the grammar has seen to it that all are of one side
        sides.setdefault(_SIDES[kind][signal.side], []).append(factor)
    found = {side: multiply(*parts) for side, parts in sides.items()}
    return Term(
        coefficient=_to_float(coefficient),
        pre=found.get("pre"),
        post=found.get("post"),
        weight=found.get("weight"),
        modulator=found.get("modulator"),
    )


def _to_float(coefficient: Fraction) -> float:
    if abs(coefficient) > 10**LARGEST:
        raise CircuitError(Problem(f"a coefficient of the rule is out of range: at most 1e{LARGEST}"))
    return float(coefficient)


def _order(term: Term) -> tuple[bool, tuple[str, ...]]:
    sides = (term.modulator, term.post, term.pre, term.weight)
    texts = tuple(to_text(side) if side is not None else "" for side in sides)
    return term.post is None and term.pre is None and term.modulator is None, texts


def _short(expression: Expression) -> str:
    text = to_text(expression)
    return text if len(text) <= 80 else f"{text[:77]}..."
