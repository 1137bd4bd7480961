"""What came of testing a property."""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from .counterexample import Counterexample

Verdict: TypeAlias = Literal["holds", "fails", "does not apply"]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A property's verdict on a subject. `does not apply` is no pass: nothing was tested."""

    property: str
    formula: str
    verdict: Verdict
    claimed: bool
    tested: tuple[str, ...] = ()
    """The rules that were tried; the system's name where it was tried as a whole."""
    examples: int = 0
    """How many examples were asked for, each."""
    why: str = ""
    """Why it does not apply, in whole or for some of the rules."""
    counterexample: Counterexample | None = None
    reproduce: str = ""
    """Of a failure: the example as JSON, which `test-rule --reproduce` tries again."""

    def as_data(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        found = self.counterexample
        return {
            "property": self.property,
            "formula": self.formula,
            "verdict": self.verdict,
            "claimed": self.claimed,
            "tested": list(self.tested),
            "examples": self.examples,
            "why": self.why,
            "counterexample": None if found is None else vars(found),
            "reproduce": self.reproduce,
        }
