"""What must hold of the numbers that gains and biases start from: there is something that starts from them."""

from collections.abc import Callable, Iterator

from ..errors import Problem
from .declared import Declared


def check_initials(declared: Declared, has_bias: Callable[[str], bool]) -> Iterator[Problem]:
    """Numbers for gains or biases that a population does not have: they would change nothing."""
    for name, population in declared.populations.items():
        path = ("populations", name)
        if population.initial_gain != 1 and not population.normalizes:
            yield declared.problem(
                f"'initial_gain' belongs to a population that normalizes (got {population.initial_gain:g}). "
                "Say normalize: batch",
                *path,
                "initial_gain",
            )
        if population.initial_bias != 0 and not (population.normalizes or has_bias(name)):
            yield declared.problem(
                f"'initial_bias' belongs to a population with biases (got {population.initial_bias:g}). Say bias: true",
                *path,
                "initial_bias",
            )
