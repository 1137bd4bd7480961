"""What the noise of all engines has in common: the names of the distributions, and how a tuple becomes a seed."""

import numpy as np

from ...circuits.errors import suggest
from .base import EngineError

DISTRIBUTIONS = ("normal", "uniform", "rademacher")


def known_distribution(name: str) -> str:
    """The name itself. Raises EngineError for one that is not in the table."""
    if name not in DISTRIBUTIONS:
        raise EngineError(f"noise must be a known distribution (got {name!r}). {suggest(name, DISTRIBUTIONS, 'known')}")
    return name


def generator_seed(seed: tuple[int, ...]) -> int:
    """63 bits that depend on every number of the tuple and on their order (NumPy's SeedSequence, which is
    specified)."""
    high, low = np.random.SeedSequence([len(seed), *(part % 2**64 for part in seed)]).generate_state(2, np.uint32)
    return (int(high) << 31) ^ int(low)
