"""Weights and activities around one rule, and the places in them."""

from collections.abc import Iterator
from typing import TypeAlias

from hypothesis import strategies as st

from ...circuits.rules import REVERSE
from ..situation import Situation
from ..synapses import Synapses
from .numbers import TENTHS, WHOLE, matrices

Place: TypeAlias = tuple[str, int, int]
"""The name of something in a situation (pre.rate, w), row, column."""


@st.composite
def situations(
    draw: st.DrawFn,
    rule: Synapses,
    size: int,
    *,
    samples: int = 1,
    neurons: int | None = None,
    among: tuple[float, ...] = WHOLE + TENTHS,
) -> Situation:
    """Weights, and a batch of all that a rule reads: from `samples` samples up to `size` more than those but one, up to
    `size` neurons on either side or exactly `neurons`, numbers `among` these.
    """
    batch = draw(st.integers(samples, samples + size - 1))
    sources, targets = (draw(st.integers(1, size)) if neurons is None else neurons for _ in range(2))
    by_sample = matrices(batch, 1, among)
    return Situation(
        w=draw(matrices(targets, sources, among)),
        pre={name: draw(matrices(batch, sources, among)) for name in rule.compartments("pre")},
        post={name: draw(matrices(batch, targets, among)) for name in rule.compartments("post")},
        mod={name: [value for (value,) in draw(by_sample)] for name in rule.compartments("mod")},
        reverse=draw(matrices(targets, sources, among)) if str(REVERSE) in rule.reads else None,
    )


def places(situation: Situation) -> Iterator[Place]:
    """Every number of a situation that belongs to a neuron or to a synapse."""
    for name, values in situation.shown().items():
        if isinstance(values, list) and not name.startswith("mod."):
            yield from ((name, row, column) for row, numbers in enumerate(values) for column in range(len(numbers)))
