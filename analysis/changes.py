"""How weights change: whether W and B learn the same thing, and whether a synapse keeps its course."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from .instants import INSTANT, chosen, instant
from .run import Run
from .streaming import Task

COLUMNS = [
    "projection", *INSTANT, "since",
    "change_forward", "change_reverse", "angle_degrees", "turn_forward", "turn_reverse",
]  # fmt: skip


def weight_changes(run: Run, snapshots: Sequence[int] | None = None) -> pd.DataFrame:
    """One row per recorded projection with its reverse (where that is recorded), and interval between snapshots.

    With dW the change of W since the snapshot before (`since`, a step) and dB that of B: `change_forward` |dW| and
    `change_reverse` |dB|; `angle_degrees` between dW and dB, 0 where both learn the same (Kolen and Pollack's
    without decay), NaN where one rests (feedback alignment's B); `turn_forward` the angle between dW and the dW
    before it, 0 for a straight course, about 90 for a random walk, and `turn_reverse` that of dB. `depth` counts
    forward projections.

    snapshots: the ones between which changes are taken, negative from the end; all by default.
    """
    rows = chosen(run, snapshots)
    reverses = dict(run.pairs)
    forward = [name for name, synapse in run.synapses.items() if synapse.role == "forward"]
    places = [(depth, at, name) for at in range(1, len(rows)) for depth, name in enumerate(forward)]
    tasks = []
    for _, at, name in places:
        names = [name, reverses[name]] if name in reverses else [name]
        instants = rows[max(0, at - 2) : at + 1]
        tasks.append(Task(tuple((n, row) for n in names for row in instants), Changes(len(names), len(instants))))
    table = [
        (name, depth, *instant(run, rows[at]), int(run.steps[rows[at - 1]]), *task.total.figures)
        for (depth, at, name), task in zip(places, run.stream(tasks), strict=True)
    ]
    return pd.DataFrame(table, columns=COLUMNS).sort_values(["depth", "snapshot"], ignore_index=True)


class Changes:
    """Scalar products between the changes of one or two projections over one or two intervals, in float64."""

    def __init__(self, projections: int, instants: int):
        self._projections, self._instants = projections, instants
        count = projections * (instants - 1)
        self._products = np.zeros((count, count))

    def add(self, *pieces: np.ndarray) -> None:
        values = np.array(pieces, dtype=np.float64).reshape(self._projections, self._instants, -1)
        changes = np.diff(values, axis=1).reshape(len(self._products), -1)
        self._products += changes @ changes.T

    @property
    def figures(self) -> tuple[float, ...]:
        """The last five columns of the table."""
        last = self._instants - 2  # the newest change of W
        reverse = last + self._instants - 1 if self._projections == 2 else None
        before = last - 1 if last else None
        return (
            self._length(last),
            self._length(reverse),
            self._angle(last, reverse),
            self._angle(last, before),
            self._angle(reverse, reverse - 1 if last and reverse else None),
        )

    def _length(self, change: int | None) -> float:
        return math.nan if change is None else math.sqrt(self._products[change, change])

    def _angle(self, first: int | None, second: int | None) -> float:
        """Between two changes, in degrees, from products: to about 1e-6 degrees."""
        if first is None or second is None:
            return math.nan
        lengths = self._length(first) * self._length(second)
        if not lengths or not math.isfinite(lengths):
            return math.nan
        cosine = self._products[first, second] / lengths
        return math.degrees(2 * math.atan2(math.sqrt(max(0.0, 1 - cosine)), math.sqrt(max(0.0, 1 + cosine))))
