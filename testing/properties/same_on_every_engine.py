"""The same on every engine: a rule means one thing."""

from dataclasses import dataclass

from hypothesis import strategies as st

from ...circuits.declarations.claims import SameOnEveryEngine
from ...engine.backends.base import Engine
from ...engine.backends.registry import available_engines
from ..counterexample import Counterexample
from ..numbers import differ, rows
from ..situation import Situation
from ..strategies.situations import situations
from ..subject import open_engine
from ..synapses import Declared, Synapses
from .property import Property

REFERENCE = "reference"
ROUNDING = {"float64": 0.0, "float32": 1e-5}
"""By how much more than the claim's tolerance numbers of an engine's widest format may differ."""


@dataclass(frozen=True)
class Example:
    """A batch, and which engine computes it."""

    situation: Situation
    engine: str


def same_on_every_engine(rule: Declared, example: Example, claim: SameOnEveryEngine) -> Counterexample | None:
    """dw(x, y, w) by each installed engine = dw(x, y, w) by the reference, which defines it."""
    engine = open_engine(example.engine)
    expected = rule.drive(example.situation, open_engine(REFERENCE))
    got = rule.drive(example.situation, engine)
    if not differ(got, expected, claim.tolerance + ROUNDING.get(engine.dtype, 1e-2), rule.unit):
        return None
    return Counterexample(
        where=rule.title,
        given=example.situation.shown(),
        expected={f"dw by {example.engine}": rows(expected)},
        got={f"dw by {example.engine}": rows(got)},
        note="Expected is what the reference engine computes.",
    )


def examples(rule: Synapses, claim: SameOnEveryEngine, size: int) -> st.SearchStrategy[Example]:
    """Of two neurons a side throughout, since engines that compile do so once a shape."""
    names = st.sampled_from(_compared(claim))
    return st.builds(Example, situations(rule, size, neurons=2), names)


def _compared(claim: SameOnEveryEngine) -> list[str]:
    """The engines that are held to the reference."""
    if claim.engines is not None:
        return [name for name in claim.engines if name != REFERENCE]
    return [name for name in available_engines() if name != REFERENCE and not _slow(name)]


def _slow(name: str) -> bool:
    """Whether an engine takes so long to compile that it has another way for what is called rarely."""
    return type(open_engine(name)).lower_quickly is not Engine.lower_quickly


def misfit(rule: Synapses, claim: SameOnEveryEngine) -> str:
    if not isinstance(rule, Declared):
        return "the rule is a Python function, which no engine runs"
    return "" if _compared(claim) else "there is no engine to hold to the reference"


def remark(rule: Synapses, claim: SameOnEveryEngine) -> str:
    compared = _compared(claim)
    left = [name for name in available_engines() if name not in (*compared, REFERENCE)]
    rest = f"; not {', '.join(left)}: name it in the claim's engines" if left else ""
    return f"{', '.join(compared)} against {REFERENCE}{rest}"


PROPERTY = Property(check=same_on_every_engine, of="rule", example=Example, draw=examples, misfit=misfit, remark=remark)
