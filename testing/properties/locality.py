"""Locality: nobody else's business."""

from dataclasses import dataclass, replace

from hypothesis import strategies as st

from ...circuits.declarations.claims import Locality
from ..counterexample import Counterexample
from ..numbers import Rows, differ
from ..situation import Situation
from ..strategies.numbers import numbers
from ..strategies.situations import Place, places, situations
from ..synapses import Synapses
from .property import Property


@dataclass(frozen=True)
class Example:
    """One number is changed that is neither of the synapse's two neurons' nor its own weight."""

    situation: Situation
    synapse: tuple[int, int]
    """(post, pre)"""
    place: Place
    value: float


def locality(rule: Synapses, example: Example, claim: Locality) -> Counterexample | None:
    """dw[j, i](x, y, w) = dw[j, i](x', y', w') wherever x'[i] = x[i], y'[j] = y[j], w'[j, i] = w[j, i].

    x, y are all that the rule reads of pre and post neurons, in every sample: of the other neurons and the other
    weights, anything may change, and the synapse from i to j learns the same.
    """
    post, pre = example.synapse
    before = rule.drive(example.situation)[post, pre]
    after = rule.drive(changed(example.situation, example.place, example.value))[post, pre]
    if not differ(after, before, claim.tolerance, rule.unit):
        return None
    name, row, column = example.place
    return Counterexample(
        where=rule.title,
        given={**example.situation.shown(), f"then {name}[{row}, {column}]": example.value},
        expected={f"dw[{post}, {pre}]": float(before)},
        got={f"dw[{post}, {pre}]": float(after)},
        note="The number that changed is of another neuron, or another synapse's weight.",
    )


def changed(situation: Situation, place: Place, value: float) -> Situation:
    """The situation with one number replaced."""
    name, row, column = place
    side, _, compartment = name.partition(".")

    def put(rows: Rows) -> Rows:
        return [
            [value if (r, c) == (row, column) else old for c, old in enumerate(numbers)]
            for r, numbers in enumerate(rows)
        ]

    if name == "w":
        return replace(situation, w=put(situation.w))
    if name == "reverse.w":
        assert situation.reverse is not None
        return replace(situation, reverse=put(situation.reverse))
    activity = situation.pre if side == "pre" else situation.post
    after = {**activity, compartment: put(activity[compartment])}
    return replace(situation, pre=after) if side == "pre" else replace(situation, post=after)


@st.composite
def examples(draw: st.DrawFn, rule: Synapses, claim: Locality, size: int) -> Example:
    situation = draw(situations(rule, size + 1).filter(lambda drawn: drawn.weights.size > 1))
    situation = situation.chosen([*range(min(size, situation.samples))])
    post, pre = (draw(st.integers(0, size - 1)) for size in situation.weights.shape)
    others = [place for place in places(situation) if not _own(place, post, pre)]
    return Example(situation, (post, pre), draw(st.sampled_from(others)), draw(numbers()))


def _own(place: Place, post: int, pre: int) -> bool:
    """Whether a place is one of the synapse's own two neurons, or its weight. The reverse synapse's weight is not."""
    name, row, column = place
    match name.partition(".")[0]:
        case "w":
            return (row, column) == (post, pre)
        case "reverse":
            return False
        case side:
            return column == (pre if side == "pre" else post)


PROPERTY = Property(check=locality, of="rule", example=Example, draw=examples)
