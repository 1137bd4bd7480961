"""Rate linearity: twice the rate, twice the change."""

from dataclasses import dataclass

from hypothesis import strategies as st

from ...circuits.declarations.claims import RateLinearity
from ..counterexample import Counterexample
from ..numbers import differ, rows
from ..situation import Situation
from ..strategies.numbers import numbers
from ..strategies.situations import situations
from ..synapses import Synapses
from .property import Property


@dataclass(frozen=True)
class Example:
    """A batch, and how many times as much the pre neurons fire."""

    situation: Situation
    times: float


def rate_linearity(rule: Synapses, example: Example, claim: RateLinearity) -> Counterexample | None:
    """dw(a x, y, w) - dw(0, y, w) = a (dw(x, y, w) - dw(0, y, w)) for every number a, x what the rule reads of pre."""
    once, a = example.situation, example.times
    nothing = rule.drive(once.changed("pre", lambda x: 0 * x))
    expected = nothing + a * (rule.drive(once) - nothing)
    got = rule.drive(once.changed("pre", lambda x: a * x))
    if not differ(got, expected, claim.tolerance, rule.unit):
        return None
    return Counterexample(
        where=rule.title,
        given={
            **once.shown(),
            "dw": rows(rule.drive(once)),
            "dw without pre": rows(nothing),
            "a": a,
        },
        expected={"dw at a * pre": rows(expected)},
        got={"dw at a * pre": rows(got)},
    )


def examples(rule: Synapses, claim: RateLinearity, size: int) -> st.SearchStrategy[Example]:
    return st.builds(Example, situations(rule, size), numbers())


PROPERTY = Property(
    check=rate_linearity,
    of="rule",
    example=Example,
    draw=examples,
    misfit=lambda rule, claim: "" if rule.compartments("pre") else "the rule reads nothing of its pre neuron",
)
