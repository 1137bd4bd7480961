"""Sign equivariance: no neuron's sign means anything by itself."""

from collections.abc import Mapping
from dataclasses import dataclass

from hypothesis import strategies as st

from ...circuits.declarations.claims import SignEquivariance
from ..counterexample import Counterexample
from ..numbers import differ, rows
from ..situation import Side, Situation
from ..strategies.situations import situations
from ..synapses import Synapses
from .property import Property

SIDES: Mapping[str, tuple[Side, ...]] = {"both": ("pre", "post"), "pre": ("pre",), "post": ("post",)}


@dataclass(frozen=True)
class Example:
    """A batch, and whose signs change."""

    situation: Situation
    side: Side


def sign_equivariance(rule: Synapses, example: Example, claim: SignEquivariance) -> Counterexample | None:
    """dw(-x, y, -w) = -dw(x, y, w), and dw(x, -y, -w) = -dw(x, y, w).

    Count a neuron's activity downwards instead of upwards and change the signs of its weights with it: the network
    computes the same, and an equivariant rule learns the same. Error-driven rules with decay are, and so is Oja's.
    """
    before = example.situation
    after = before.changed(example.side, lambda activity: -activity).with_opposite_weights()
    expected, got = -rule.drive(before), rule.drive(after)
    if not differ(got, expected, claim.tolerance, rule.unit):
        return None
    return Counterexample(
        where=rule.title,
        given={**before.shown(), "dw": rows(-expected), "change the signs of": f"{example.side} and all weights"},
        expected={"dw then": rows(expected)},
        got={"dw then": rows(got)},
    )


def examples(rule: Synapses, claim: SignEquivariance, size: int) -> st.SearchStrategy[Example]:
    sides = [side for side in SIDES[claim.of] if rule.compartments(side)]
    return st.builds(Example, situations(rule, size), st.sampled_from(sides))


def misfit(rule: Synapses, claim: SignEquivariance) -> str:
    if any(rule.compartments(side) for side in SIDES[claim.of]):
        return ""
    return f"the rule reads nothing of {'pre or post' if claim.of == 'both' else claim.of}"


PROPERTY = Property(check=sign_equivariance, of="rule", example=Example, draw=examples, misfit=misfit)
