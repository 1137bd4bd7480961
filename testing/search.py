"""Looking for the smallest example that fails, with hypothesis."""

from collections.abc import Callable
from typing import Generic, NoReturn, TypeVar

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis.errors import Flaky
from hypothesis.strategies import SearchStrategy

from .counterexample import Counterexample
from .requirements import LaboratoryError

Example = TypeVar("Example")


class Found(Exception, Generic[Example]):
    """A counterexample, on its way out of hypothesis."""

    def __init__(self, example: Example, counterexample: Counterexample) -> None:
        self.example = example
        self.counterexample = counterexample


SIZES = (1, 2, 3)


def smallest(
    strategy: Callable[[int], SearchStrategy[Example]],
    check: Callable[[Example], Counterexample | None],
    *,
    examples: int,
    number: int,
    name: str,
) -> tuple[Example, Counterexample] | None:
    """The simplest example for which `check` finds fault, or None after about `examples` without.

    `strategy(size)` is tried at one size after the other, so that what fails is small from the start. `number` decides
    what is drawn: the same one finds the same. Raises LaboratoryError where `check` judges the same example now so, now
    otherwise.
    """

    for size in SIZES:
        share = -(-examples // 2) if size == max(SIZES) else -(-examples // 4)
        found = _searched(strategy(size), check, share, number, name)
        if found is not None:
            return found
    return None


def _searched(
    strategy: SearchStrategy[Example],
    check: Callable[[Example], Counterexample | None],
    examples: int,
    number: int,
    name: str,
) -> tuple[Example, Counterexample] | None:
    @seed(number)
    @settings(
        max_examples=examples,
        database=None,  # what is found depends on the number alone
        derandomize=False,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        verbosity=Verbosity.quiet,
        print_blob=False,
    )
    @given(strategy)
    def search(example: Example) -> None:
        counterexample = check(example)
        if counterexample is not None:
            _report(example, counterexample)

    try:
        search()
    except Found as found:
        return found.example, found.counterexample
    except Flaky as error:
        raise LaboratoryError(f"{name}: the rule must give the same dw for the same numbers, and does not") from error
    return None


def _report(example: Example, counterexample: Counterexample) -> NoReturn:
    raise Found(example, counterexample)
