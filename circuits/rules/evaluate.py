"""The value of a rule for one synapse and one sample, in plain Python: the oracle of the tests.

It is also how constants inside a rule (`exp(decay)`) and the value of a function at zero are computed, so
that both follow the same table.
"""

import math
from collections.abc import Mapping

from .expression import Call, Expression, Number, Parameter, Power, Product, Signal, Sum
from .functions import FUNCTIONS


def evaluate(
    expression: Expression, values: Mapping[Signal, float], parameters: Mapping[str, float] | None = None
) -> float:
    """The expression's value, every signal and parameter a number.

    Raises KeyError for a signal or parameter without a value, ValueError for `centre` (a single sample has
    no mean), and ZeroDivisionError for a denominator of zero.
    """
    match expression:
        case Number(value):
            return float(value)
        case Parameter(name):
            return float((parameters or {})[name])
        case Signal():
            return float(values[expression])
        case Sum(terms):
            return sum(evaluate(term, values, parameters) for term in terms)
        case Product(factors):
            return math.prod(evaluate(factor, values, parameters) for factor in factors)
        case Power(base, exponent):
            return _power(evaluate(base, values, parameters), exponent)
        case Call(name, argument):
            function = FUNCTIONS[name].evaluate
            if function is None:
                raise ValueError(f"{name} needs a batch: one sample has no mean")
            return float(function(evaluate(argument, values, parameters)))


def _power(base: float, exponent: int) -> float:
    try:
        return float(base**exponent)
    except OverflowError:  # tensors give an infinity here
        return math.copysign(math.inf, base) if exponent % 2 else math.inf
