"""The names that one rule may use, and why any other name means nothing in it."""

from collections.abc import Collection

from ..errors import suggest
from .compartments import NOISE, RESERVED_WORDS, SYNAPSE_COMPARTMENTS, RuleKind, visible_signals
from .expression import Expression, Parameter, Signal
from .functions import FUNCTIONS


class Vocabulary:
    """Signals of the rule's kind, declared modulators and parameters, by the name that the text uses."""

    def __init__(self, kind: RuleKind, *, parameters: Collection[str], modulators: Collection[str], noise: bool):
        self.kind = kind
        self._reasons: dict[str, str] = {}
        self.reserved = tuple(name for name in parameters if name in RESERVED_WORDS or name in FUNCTIONS)
        self.names: dict[str, Expression] = {
            **visible_signals(kind, noise=noise),
            **{f"mod.{name}": Signal("mod", name) for name in modulators},
            **{name: Parameter(name) for name in parameters if name not in self.reserved},
        }

    def find(self, name: str) -> Expression | None:
        """What the name means, None where it means nothing."""
        return self.names.get(name)

    def why_unknown(self, name: str) -> str:
        """The reason for which the name means nothing here, and the nearest name that does."""
        if name not in self._reasons:  # it may stand in one rule a hundred times
            self._reasons[name] = f"{self._reason(name)} {suggest(name, self.names)}"
        return self._reasons[name]

    def _reason(self, name: str) -> str:
        owner, _, attribute = name.partition(".")
        if owner in FUNCTIONS:
            return f"'{name}': {owner} is a function and needs an argument, {owner}(...)."
        if owner == "mod":
            return f"unknown modulator '{name}'."
        if NOISE in (name, attribute):
            return f"'{name}': noise is there only in a mode that injects it."
        if self.kind == "synapse" and owner in ("pre", "post"):
            return f"'{name}': of its two neurons a synapse knows {', '.join(SYNAPSE_COMPARTMENTS)}."
        if not attribute:
            return f"unknown name '{name}'."
        if self.kind == "synapse":
            return f"'{name}': a synapse sees only pre, post and its own w; reading another population is not local."
        return f"'{name}': a gain or bias sees only its own neuron and that neuron's partner."
