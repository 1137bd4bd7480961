"""The columns that say when: every table of weights has them."""

from collections.abc import Sequence

from .run import Run

INSTANT = ["depth", "snapshot", "step", "epoch"]


def chosen(run: Run, snapshots: Sequence[int] | None) -> list[int]:
    """The rows meant by `snapshots`: all for None, negative ones from the end; those that are not there left out."""
    count = len(run.steps)
    if snapshots is None:
        return list(range(count))
    return sorted({s % count for s in snapshots if -count <= s < count})


def instant(run: Run, snapshot: int) -> tuple[int, int, float]:
    """(snapshot, step, epoch) of one row."""
    return snapshot, int(run.steps[snapshot]), float(run.epochs[snapshot])
