"""What every rank finds for itself, and may therefore round differently than the others do."""

import numpy as np

from .compiler.compile import CompiledCircuit
from .live_state import LiveState
from .ranks import Ranks

ROUNDING = 0.01
"""Of a state's norm. Kernels that add up bfloat16 in another order differ by less, other noise by far more."""


def found_alone(compiled: CompiledCircuit) -> tuple[str, ...]:
    """The states that modes without data write: all ranks draw the same noise, and nobody sends what came of it."""
    alone = [programs for programs in compiled.modes.values() if programs.mode.isolates]
    names = dict.fromkeys(name for programs in alone for name in programs.consolidate.results)
    return tuple(name for name in names if name in compiled.states)


def take_roundings(compiled: CompiledCircuit, live: LiveState, ranks: Ranks) -> None:
    """Put rank 0's value of each such state in the place of this rank's, where the two differ by rounding.

    On a GPU they may: convolutions add up in any order, and each process chooses its own kernels, by trial. What
    differs by more stays as it is. A collective.
    """
    for name in found_alone(compiled):
        first = ranks.first(live.arrays[name])
        told, own = (np.asarray(array, np.float64) for array in (live.engine.view(first), live.view(name)))
        if 0 < np.linalg.norm(told - own) <= ROUNDING * np.linalg.norm(told):
            live.put(name, first)
