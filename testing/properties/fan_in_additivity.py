"""Fan-in additivity: currents add, and so do the changes that they bring about."""

from dataclasses import dataclass, replace

from hypothesis import strategies as st

from ...circuits.declarations.claims import FanInAdditivity
from ..counterexample import Counterexample
from ..numbers import Rows, differ, rows
from ..situation import Situation
from ..strategies.numbers import matrices
from ..strategies.situations import situations
from ..synapses import Synapses
from .property import Property


@dataclass(frozen=True)
class Example:
    """A batch, and what a second input adds to each post neuron."""

    situation: Situation
    more: dict[str, Rows]


def fan_in_additivity(rule: Synapses, example: Example, claim: FanInAdditivity) -> Counterexample | None:
    """dw(x, y + y', w) = dw(x, y, w) + dw(x, y', w) - dw(x, 0, w), y and y' what two inputs bring to the post neuron.

    A neuron sums the currents of all projections onto it, and a feedback neuron the errors of all its outputs. Where
    the change is additive in them, each input teaches as if it were alone.
    """
    one = example.situation
    other = replace(one, post=example.more)
    both = replace(one, post={name: _sum(one.post[name], example.more[name]) for name in one.post})
    nothing = one.changed("post", lambda y: 0 * y)
    expected = rule.drive(one) + rule.drive(other) - rule.drive(nothing)
    got = rule.drive(both)
    if not differ(got, expected, claim.tolerance, rule.unit):
        return None
    return Counterexample(
        where=rule.title,
        given={
            **one.shown(),
            **{f"more post.{name}": values for name, values in example.more.items()},
            "dw of the one": rows(rule.drive(one)),
            "dw of the other": rows(rule.drive(other)),
            "dw of neither": rows(rule.drive(nothing)),
        },
        expected={"dw of both": rows(expected)},
        got={"dw of both": rows(got)},
    )


def _sum(one: Rows, other: Rows) -> Rows:
    return [[a + b for a, b in zip(left, right, strict=True)] for left, right in zip(one, other, strict=True)]


@st.composite
def examples(draw: st.DrawFn, rule: Synapses, claim: FanInAdditivity, size: int) -> Example:
    situation = draw(situations(rule, size))
    samples, post = situation.samples, len(situation.w)
    return Example(situation, {name: draw(matrices(samples, post)) for name in situation.post})


PROPERTY = Property(
    check=fan_in_additivity,
    of="rule",
    example=Example,
    draw=examples,
    misfit=lambda rule, claim: "" if rule.compartments("post") else "the rule reads nothing of its post neuron",
)
