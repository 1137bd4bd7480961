"""Fixed points: where learning comes to rest."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from ...circuits.declarations.claims import FixedPoint
from ..counterexample import Counterexample
from ..numbers import differ, rows
from ..situation import Situation
from ..strategies.situations import situations
from ..synapses import Declared, Synapses
from .property import Property


@dataclass(frozen=True)
class Example:
    """A batch, whose weights say how far from the fixed point the return to it begins."""

    situation: Situation


def fixed_point(rule: Declared, example: Example, claim: FixedPoint) -> Counterexample | None:
    """dw(x, y, w*) = 0 at w* = the batch mean of the claimed expression; (w - w*) dw(x, y, w) < 0 at any other w."""
    assert claim.w is not None
    offset = example.situation.weights
    rest = rule.like(claim.w).drive(example.situation.with_weights(0 * offset))
    found = rule.drive(example.situation.with_weights(rest))
    given = {name: value for name, value in example.situation.shown().items() if name != "w"}
    given |= {"w*": rows(rest)}
    if differ(found, 0 * found, claim.tolerance, rule.unit):
        return Counterexample(
            where=rule.title,
            given={"claimed w*": claim.w, **given},
            expected={"dw at w*": rows(0 * found)},
            got={"dw at w*": rows(found)},
        )
    moved = rest + offset
    back = rule.drive(example.situation.with_weights(moved))
    if not claim.attracting or (back * offset < 0)[offset != 0].all():
        return None
    return Counterexample(
        where=rule.title,
        given={"claimed w*": claim.w, **given, "w": rows(moved)},
        expected={"sign of dw": rows(-np.sign(offset))},
        got={"sign of dw": rows(np.sign(back))},
        note="Away from w*, dw must point back.",
    )


def examples(rule: Synapses, claim: FixedPoint, size: int) -> st.SearchStrategy[Example]:
    return st.builds(Example, situations(rule, size))


def misfit(rule: Synapses, claim: FixedPoint) -> str:
    if not isinstance(rule, Declared):
        return "the rule is no equation"
    return "" if claim.w else "no fixed point is claimed: fixed_point: {w: EXPRESSION}"


PROPERTY = Property(check=fixed_point, of="rule", example=Example, draw=examples, misfit=misfit)
