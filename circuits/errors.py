"""What users see when a file, a circuit or a rule is wrong: all problems at once, each with its place and its fix."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from .characters import foreign, in_ascii, printable

MAXIMAL_PROBLEMS = 100  # in one message, and before a search for more ends: a person mends these and asks again
MAXIMAL_MESSAGE = 800  # characters of one problem
MAXIMAL_CANDIDATES = 300  # for "did you mean": comparing names is slow
MAXIMAL_NAME = 100  # characters of a name that are compared


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
        path, message = shortened(printable(self.path), MAXIMAL_MESSAGE // 4), shortened(printable(self.message))
        return ": ".join(part for part in (str(self.location), path, message) if part)


class CounterstreamError(Exception):
    """Anything a user can mend. The command line prints it without a traceback and leaves with `exit_code`.

    As text it may be printed as it is: names from files may hold what a terminal obeys, which shows as an escape.
    """

    exit_code = 2
    on_every_rank = False
    """Whether all processes that share a model raise it, where one does: then one of them need say it."""

    def __str__(self) -> str:
        return "\n".join(map(printable, super().__str__().split("\n")))


class CircuitError(CounterstreamError):
    """A declaration that does not hold together. Carries every problem found, in the order of the file."""

    on_every_rank = True

    def __init__(self, problems: Problem | Iterable[Problem]):
        found = [problems] if isinstance(problems, Problem) else list(problems)
        self.problems: tuple[Problem, ...] = tuple(found)
        lines = [*map(str, found[:MAXIMAL_PROBLEMS]), *(["... and more"] if len(found) > MAXIMAL_PROBLEMS else ())]
        super().__init__("\n".join(lines))

    def located(self, location: Location, path: str = "") -> "CircuitError":
        """The same error with `location` and `path` filled in where a problem has none of its own."""
        return CircuitError(
            replace(p, location=p.location if p.location.line else location, path=p.path or path) for p in self.problems
        )


class Problems:
    """What is wrong, as it is found, each problem once."""

    def __init__(self, problems: Iterable[Problem] = ()) -> None:
        self._found: dict[Problem, None] = {}
        self.extend(problems)

    def add(self, problem: Problem) -> None:
        """Note a problem. Raises CircuitError where there are more of them than anyone mends at once."""
        self._found[problem] = None
        if len(self._found) > MAXIMAL_PROBLEMS:
            self.stop()

    def extend(self, problems: Iterable[Problem]) -> None:
        """Note several."""
        for problem in problems:
            self.add(problem)

    def stop(self) -> None:
        """Raise CircuitError with all problems, in the order of the file, if there are any."""
        if self._found:
            raise CircuitError(sorted(self._found, key=lambda problem: problem.location))


def shortened(text: str, most: int = MAXIMAL_MESSAGE) -> str:
    """The text, its middle left out where it is longer than `most` characters.

    >>> shortened("abcdefghijkl", 9)
    'abc...jkl'
    """
    half = (most - 3) // 2
    return text if len(text) <= most else f"{text[:half]}...{text[-half:]}"


def suggest(name: str, valid: Iterable[str], noun: str = "valid names") -> str:
    """A sentence that names the nearest valid name, or lists all of them when none is near.

    >>> suggest("relo", ["relu", "tanh"])
    "Did you mean 'relu'? valid names: relu, tanh"
    >>> suggest("r\u0435lu", ["relu", "tanh"])
    "'\u0435' is U+0435 CYRILLIC SMALL LETTER IE. Did you mean 'relu'? valid names: relu, tanh"
    """
    names: Sequence[str] = list(valid)
    listed = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
    looks = in_ascii(str(name)[:MAXIMAL_NAME])
    near = get_close_matches(looks, _candidates(looks, names), n=1, cutoff=0.6)
    hint = (f"{strange}. " if (strange := foreign(str(name))) else "") + (f"Did you mean '{near[0]}'? " if near else "")
    return f"{hint}{noun}: {listed}" if names else f"{hint}there are none"


def _candidates(name: str, names: Sequence[str]) -> Sequence[str]:
    """The names to compare with: all, or in large circuits, where many may be wrong, those alike at an end."""
    if len(names) <= MAXIMAL_CANDIDATES:
        return names
    return [valid for valid in names if valid[:1] == name[:1] or valid[-2:] == name[-2:]][:MAXIMAL_CANDIDATES]
