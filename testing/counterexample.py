"""A counterexample: numbers for which a property does not hold, in a form that a person can check by hand."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .numbers import text, told_apart


@dataclass(frozen=True, kw_only=True)
class Counterexample:
    """What was given, what the property says of it, and what came of it; all as plain numbers, by name."""

    where: str
    """The rule or the network."""
    given: Mapping[str, Any]
    expected: Mapping[str, Any]
    got: Mapping[str, Any]
    note: str = ""

    def lines(self) -> Iterator[str]:
        """As text, one quantity a line. Rows are samples, or of weights post neurons."""
        wide = max(map(len, (*self.given, *self.expected))) + len("expected ")
        yield self.where
        for name, value in self.given.items():
            yield f"  {name:<{wide}}  {text(value) if not isinstance(value, str) else value}"
        for name, value in self.expected.items():
            wanted, found = told_apart(value, self.got[name])
            yield f"  {'expected ' + name:<{wide}}  {wanted}"
            yield f"  {'got ' + name:<{wide}}  {found}"
        if self.note:
            yield f"  {self.note}"

    def __str__(self) -> str:
        return "\n".join(self.lines())
