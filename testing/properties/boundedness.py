"""Boundedness: what no exposure drives to infinity."""

from dataclasses import dataclass, replace

import numpy as np
from hypothesis import strategies as st

from ...circuits.declarations.claims import Boundedness
from ..counterexample import Counterexample
from ..numbers import Array, rows
from ..situation import Situation
from ..strategies.numbers import UNIT
from ..strategies.situations import situations
from ..synapses import Synapses
from .property import Property


@dataclass(frozen=True)
class Example:
    """Where the weights start, and the activity that they are exposed to at every step."""

    situation: Situation


def boundedness(rule: Synapses, example: Example, claim: Boundedness) -> Counterexample | None:
    """|w(t)| <= bound for all t <= steps, w(t + 1) = w(t) + rate dw(x, y(t), w(t)), x the same at every t.

    Activities and first weights lie between -1 and 1. The post neuron answers linearly: what the rule reads of its soma
    and its rate is w(t) x. What comes from elsewhere (apical, soma and rate where a mode clamps them, modulators) stays
    as it is, at its worst. `rate` is the claim's over the rule's largest coefficient, where that is below 1: what grows
    slowly grows, too. A rule of plain addition has rate 1 at least.
    """
    rate = max(1.0 if rule.adds else 0.0, claim.rate / (rule.unit or 1.0))
    weights = [example.situation.weights]
    for _ in range(claim.steps):
        now = answered(rule, example.situation.with_weights(weights[-1]))
        weights.append(weights[-1] + rate * rule.drive(now))
        if not (np.abs(weights[-1]) <= claim.bound).all():
            return _unbounded(rule, example, claim, weights, rate)
    return None


def _unbounded(
    rule: Synapses, example: Example, claim: Boundedness, weights: list[Array], rate: float
) -> Counterexample:
    steps = len(weights) - 1
    free = {f"post.{name}" for name in rule.answers}
    given = {name: value for name, value in example.situation.shown().items() if name not in free}
    path = {f"w after {t}": rows(weights[t]) for t in (1, 2, 3) if t < steps}
    return Counterexample(
        where=rule.title,
        given={**given, "rate": rate, **path},
        expected={f"|w| after {steps}": f"<= {claim.bound:g}"},
        got={f"|w| after {steps}": float(np.abs(weights[-1]).max())},
    )


def answered(rule: Synapses, situation: Situation) -> Situation:
    """The situation with post neurons that answer linearly to what they receive."""
    if not (rule.answers & situation.post.keys() and "rate" in situation.pre):
        return situation
    current = rows(situation.activity("pre")["rate"] @ situation.weights.T)
    return replace(
        situation,
        post={name: current if name in rule.answers else values for name, values in situation.post.items()},
    )


def examples(rule: Synapses, claim: Boundedness, size: int) -> st.SearchStrategy[Example]:
    return st.builds(Example, situations(rule, min(size, 2), among=UNIT))


PROPERTY = Property(check=boundedness, of="rule", example=Example, draw=examples, share=4)
