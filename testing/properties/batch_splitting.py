"""Batch splitting: a mean of means, so that workers who share a batch may average."""

from dataclasses import dataclass

from hypothesis import strategies as st

from ...circuits.declarations.claims import BatchSplitting
from ..counterexample import Counterexample
from ..numbers import differ, rows
from ..situation import Situation
from ..strategies.situations import situations
from ..synapses import Synapses
from .property import Property


@dataclass(frozen=True)
class Example:
    """A batch, and how many of its samples the first part has."""

    situation: Situation
    cut: int


def batch_splitting(rule: Synapses, example: Example, claim: BatchSplitting) -> Counterexample | None:
    """n dw(x, y, w) = n1 dw(x1, y1, w) + n2 dw(x2, y2, w), a batch of n samples cut into n1 and n2.

    What holds of two parts holds of any number: data-parallel workers may average. `centre` breaks it on purpose, by a
    mean over the batch inside the rule.
    """
    whole, samples = example.situation, example.situation.samples
    first, second = whole.chosen([*range(example.cut)]), whole.chosen([*range(example.cut, samples)])
    parts = [rule.drive(part) for part in (first, second)]
    expected = (example.cut * parts[0] + (samples - example.cut) * parts[1]) / samples
    got = rule.drive(whole)
    if not differ(got, expected, claim.tolerance, rule.unit):
        return None
    return Counterexample(
        where=rule.title,
        given={
            **whole.shown(),
            f"dw of the first {example.cut}": rows(parts[0]),
            f"dw of the other {samples - example.cut}": rows(parts[1]),
        },
        expected={"dw of all": rows(expected)},
        got={"dw of all": rows(got)},
    )


@st.composite
def examples(draw: st.DrawFn, rule: Synapses, claim: BatchSplitting, size: int) -> Example:
    situation = draw(situations(rule, size, samples=2))
    return Example(situation, draw(st.integers(1, situation.samples - 1)))


PROPERTY = Property(
    check=batch_splitting,
    of="rule",
    example=Example,
    draw=examples,
    misfit=lambda rule, claim: "the rule reads no activity" if rule.is_idle else "",
)
