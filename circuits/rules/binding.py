"""Parameters -> numbers: gives parameters their values and folds what is constant into exact rationals."""

import math
from collections.abc import Mapping
from fractions import Fraction

from ..errors import CircuitError, Problem, suggest
from .describe import to_text
from .evaluate import evaluate
from .expression import (
    Call,
    Expression,
    Number,
    Parameter,
    Power,
    Product,
    Signal,
    Sum,
    add,
    multiply,
    parameters_of,
    power,
    walk,
)


def select_parameters(expression: Expression, parameters: Mapping[str, float]) -> dict[str, float]:
    """Those of the parameters that the expression names; every missing or non-finite one is an error."""
    names = sorted(parameters_of(expression))
    problems = []
    for name in names:
        if name not in parameters:
            known = suggest(name, parameters, "parameters")
            problems.append(f"the rule '{to_text(expression)}' needs the parameter '{name}'. {known}")
        elif not _is_finite(parameters[name]):
            problems.append(f"the parameter '{name}' must be a finite number (got {parameters[name]!r})")
    if problems:
        raise CircuitError(map(Problem, problems))
    return {name: float(parameters[name]) for name in names}


def bind(expression: Expression, parameters: Mapping[str, float]) -> Expression:
    """The expression without parameters, its constant parts folded, sums and products of one order.

    A parameter becomes the rational of its shortest decimal (0.1 is 1/10), as numbers in the text do.
    Raises CircuitError where a denominator becomes 0 or a constant is not finite.
    """
    bound = _bind(expression, parameters)
    for part in walk(bound):
        if isinstance(part, Number) and not math.isfinite(_to_float(part.value)):
            raise CircuitError(Problem(f"a constant of '{to_text(expression)}' is too large for a float"))
    return bound


def _bind(expression: Expression, parameters: Mapping[str, float]) -> Expression:
    match expression:
        case Number() | Signal():
            return expression
        case Parameter(name):
            return Number(Fraction(repr(float(parameters[name]))))
        case Sum(terms):
            return _bind_sum([_bind(term, parameters) for term in terms])
        case Product(factors):
            return multiply(*sorted((_bind(factor, parameters) for factor in factors), key=to_text))
        case Power(base, exponent):
            return _bind_power(_bind(base, parameters), exponent, base)
        case Call(name, argument):
            bound = _bind(argument, parameters)
            return _fold_call(name, bound) if isinstance(bound, Number) else Call(name, bound)


def _bind_sum(terms: list[Expression]) -> Expression:
    constant = sum((term.value for term in terms if isinstance(term, Number)), Fraction(0))
    rest = sorted((term for term in terms if not isinstance(term, Number)), key=to_text)
    return add(*rest, Number(constant)) if constant or not rest else add(*rest)


def _bind_power(base: Expression, exponent: int, written: Expression) -> Expression:
    if exponent == 0:
        return Number(Fraction(1))
    if not isinstance(base, Number):
        return power(base, exponent)
    if exponent < 0 and base.value == 0:
        raise CircuitError(Problem(f"division by '{to_text(written)}', which is zero"))
    return Number(base.value**exponent)


def _fold_call(name: str, argument: Number) -> Expression:
    if name == "centre":  # a constant is its own mean
        return Number(Fraction(0))
    x = Signal("x")
    value = evaluate(Call(name, x), {x: _to_float(argument.value)})
    if not math.isfinite(value):
        raise CircuitError(Problem(f"'{to_text(Call(name, argument))}' is {value}, not a finite number"))
    return Number(Fraction(value))


def _to_float(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
