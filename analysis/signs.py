"""Sign agreement: the share of synapses whose reverse has their sign, all that sign symmetry keeps of W."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from .instants import INSTANT, chosen, instant
from .run import Run
from .streaming import Task

COLUMNS = ["projection", *INSTANT, "sign_agreement"]


def sign_agreement(run: Run, snapshots: Sequence[int] | None = None) -> pd.DataFrame:
    """One row per projection whose reverse is recorded too, and snapshot: the share of synapses with
    sign(W) = sign(B), sign(0) = 0 included; unrelated weights give 1/2. Unseen taps are left out.

    snapshots: which ones, negative from the end; all by default.
    """
    places = [(depth, row, w, b) for row in chosen(run, snapshots) for depth, (w, b) in enumerate(run.pairs)]
    tasks = [Task(((w, row), (b, row)), Agreement()) for _, row, w, b in places]
    rows = [
        (name, depth, *instant(run, row), task.total.share)
        for (depth, row, name, _), task in zip(places, run.stream(tasks), strict=True)
    ]
    return pd.DataFrame(rows, columns=COLUMNS).sort_values(["depth", "snapshot"], ignore_index=True)


class Agreement:
    """Counts pairs of equal sign."""

    def __init__(self) -> None:
        self._equal = self._count = 0

    def add(self, w: np.ndarray, b: np.ndarray) -> None:
        self._equal += int(np.count_nonzero(np.sign(w) == np.sign(b)))
        self._count += len(w)

    @property
    def share(self) -> float:
        """From 0 to 1; NaN where there is no synapse."""
        return self._equal / self._count if self._count else float("nan")
