"""What users see when a file, a circuit or a rule is wrong: all problems at once, each with its place and its fix."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

MAXIMAL_CANDIDATES = 300  # for "did you mean": comparing names is slow


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a text file. Lines and columns count from 1; 0 means unknown."""

    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        parts = [self.file or "<circuit>"]
        if self.line:
            parts.append(str(self.line))
            if self.column:
                parts.append(str(self.column))
        return ":".join(parts)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where it stands, the declared path to it, and what must hold."""

    message: str
    path: str = ""
    location: Location = Location()

    def __str__(self) -> str:
        return ": ".join(part for part in (str(self.location), self.path, self.message) if part)


class CounterstreamError(Exception):
    """Anything a user can mend. The command line prints it without a traceback and leaves with `exit_code`."""

    exit_code = 2


class CircuitError(CounterstreamError):
    """A declaration that does not hold together. Carries every problem found, in the order of the file."""

    def __init__(self, problems: Problem | Iterable[Problem]):
        found = [problems] if isinstance(problems, Problem) else list(problems)
        self.problems: tuple[Problem, ...] = tuple(found)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def located(self, location: Location, path: str = "") -> "CircuitError":
        """The same error with `location` and `path` filled in where a problem has none of its own."""
        return CircuitError(
            replace(p, location=p.location if p.location.line else location, path=p.path or path) for p in self.problems
        )


def suggest(name: str, valid: Iterable[str], noun: str = "valid names") -> str:
    """A sentence that names the nearest valid name, or lists all of them when none is near.

    >>> suggest("relo", ["relu", "tanh"])
    "Did you mean 'relu'? valid names: relu, tanh"
    """
    names: Sequence[str] = list(valid)
    listed = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
    near = get_close_matches(str(name), _candidates(str(name), names), n=1, cutoff=0.6)
    hint = f"Did you mean '{near[0]}'? " if near else ""
    return f"{hint}{noun}: {listed}" if names else f"{hint}there are none"


def _candidates(name: str, names: Sequence[str]) -> Sequence[str]:
    """The names to compare with: all, or in large circuits, where many may be wrong, those alike at an end."""
    if len(names) <= MAXIMAL_CANDIDATES:
        return names
    return [valid for valid in names if valid[:1] == name[:1] or valid[-2:] == name[-2:]][:MAXIMAL_CANDIDATES]
