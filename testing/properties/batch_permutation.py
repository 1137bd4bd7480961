"""Batch permutation: samples have no order."""

from dataclasses import dataclass

from hypothesis import strategies as st

from ...circuits.declarations.claims import BatchPermutation
from ..counterexample import Counterexample
from ..numbers import differ, rows
from ..situation import Situation
from ..strategies.situations import situations
from ..synapses import Synapses
from .property import Property


@dataclass(frozen=True)
class Example:
    """A batch, and another order of its samples."""

    situation: Situation
    order: list[int]


def batch_permutation(rule: Synapses, example: Example, claim: BatchPermutation) -> Counterexample | None:
    """dw(x[p], y[p], w) = dw(x, y, w) for every permutation p of the samples of a batch."""
    expected = rule.drive(example.situation)
    got = rule.drive(example.situation.chosen(example.order))
    if not differ(got, expected, claim.tolerance, rule.unit):
        return None
    return Counterexample(
        where=rule.title,
        given={**example.situation.shown(), "order": example.order},
        expected={"dw": rows(expected)},
        got={"dw": rows(got)},
        note="Expected is dw of the samples as they stand, got is dw of the same samples in this order.",
    )


@st.composite
def examples(draw: st.DrawFn, rule: Synapses, claim: BatchPermutation, size: int) -> Example:
    situation = draw(situations(rule, size, samples=2))
    return Example(situation, draw(st.permutations(range(situation.samples))))


PROPERTY = Property(
    check=batch_permutation,
    of="rule",
    example=Example,
    draw=examples,
    misfit=lambda rule, claim: "the rule reads no activity" if rule.is_idle else "",
)
