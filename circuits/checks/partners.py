"""What must hold of a feedback population's partner."""

from collections.abc import Iterator

from ..errors import Problem, suggest
from .declared import Declared


def check_partner(declared: Declared, name: str) -> Iterator[Problem]:
    """Why a feedback population cannot have the partner that it names."""
    population, path = declared.populations[name], ("populations", name, "partner")
    partner = population.partner
    if partner is None:
        return
    other = declared.populations.get(partner)
    if other is None:
        forward = [known for known, found in declared.populations.items() if not found.is_feedback]
        yield declared.problem(f"unknown population '{partner}'. {suggest(partner, forward, 'populations')}", *path)
    elif other.is_feedback or other.is_source:
        yield declared.problem(f"a partner must be a forward population that is no source (got '{partner}')", *path)
    elif (first := declared.partners[partner]) != name:
        yield declared.problem(f"a forward population has one partner ('{partner}' has '{first}' already)", *path)
    elif population.shape and other.shape and population.shape != other.shape:
        message = f"partners have one shape (got {list(population.shape)} beside {list(other.shape)})"
        yield declared.problem(message, "populations", name, "shape")
