"""What was found wrong: every problem with its place in the file, each once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from .. import guard
from ..errors import AnalysisError, Damage, DamagedRecording

Given = ParamSpec("Given")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Problem:
    """Something that does not hold, at a place in the file."""

    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


class Notes:
    """Problems in the order in which they were found. What fails is noted, and the check goes on."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def add(self, what: str, *names: str) -> None:
        problem = Problem("/" + "/".join(names), what)
        if problem not in self.problems:
            self.problems.append(problem)

    def attempt(self, read: Callable[Given, Result], *given: Given.args, **named: Given.kwargs) -> Result | None:
        """What `read` returns; None once its error is noted."""
        try:
            return read(*given, **named)
        except DamagedRecording as error:
            self.add(error.what, *error.place.strip("/").split("/"))
        except AnalysisError as error:
            self.add(str(error))
        return None

    @contextmanager
    def noting(self, *names: str) -> Iterator[None]:
        """Whatever is raised within is a problem of the object of these names."""
        try:
            yield
        except Damage as error:
            self.add(str(error), *names)
        except guard.DAMAGE as error:
            self.add(f"cannot be read ({' '.join(str(error).split()) or type(error).__name__})", *names)
