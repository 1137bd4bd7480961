"""The closed table of functions of one side. A new one is one entry here and one in each engine."""

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One function: its name in a rule, its meaning in one sentence, and its value at a float.

    `zero_at_zero` says whether f(0) = 0. Where it does not hold, a synapse onto padding would see something
    other than zero, and the term must leave such taps out. `evaluate` is None for `centre`, which needs the
    neuron's own mean. Values follow IEEE 754 as tensors do: sqrt(-1) is nan, exp(1000) is inf; nothing
    raises.
    """

    name: str
    meaning: str
    zero_at_zero: bool
    evaluate: Callable[[float], float] | None


def _sign(x: float) -> float:
    return float((x > 0) - (x < 0))


def _exp(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def _sigmoid(x: float) -> float:
    return 0.5 * (1.0 + math.tanh(0.5 * x))  # the form that never overflows


FUNCTIONS: dict[str, Function] = {
    function.name: function
    for function in (
        Function(
            name="relu",
            meaning="x where x is positive, otherwise 0.",
            zero_at_zero=True,
            evaluate=lambda x: x if x > 0 else 0.0 * abs(x),  # 0 * nan keeps nan
        ),
        Function(
            name="sign",
            meaning="1, 0 or -1 by the sign of x; sign(0) = 0.",
            zero_at_zero=True,
            evaluate=_sign,
        ),
        Function(name="abs", meaning="The magnitude of x.", zero_at_zero=True, evaluate=abs),
        Function(name="exp", meaning="e to the power of x.", zero_at_zero=False, evaluate=_exp),
        Function(name="tanh", meaning="The hyperbolic tangent of x.", zero_at_zero=True, evaluate=math.tanh),
        Function(name="sigmoid", meaning="1 / (1 + exp(-x)).", zero_at_zero=False, evaluate=_sigmoid),
        Function(
            name="step",
            meaning="1 where x is positive, otherwise 0; step(0) = 0.",
            zero_at_zero=True,
            evaluate=lambda x: 1.0 if x > 0 else 0.0,
        ),
        Function(
            name="sqrt",
            meaning="The square root of x; not a number where x is negative.",
            zero_at_zero=True,
            evaluate=lambda x: math.sqrt(x) if x >= 0 else math.nan,
        ),
        Function(
            name="centre",
            meaning="x less that neuron's own mean over the batch and the positions that share its weights.",
            zero_at_zero=False,
            evaluate=None,
        ),
    )
}
