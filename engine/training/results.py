"""What an experiment came to: one row a run, one row a system over its seeds, and the content of summary.json."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from statistics import mean, stdev
from typing import Any, TypeGuard

FORMAT = 1  # of summary.json


@dataclass(frozen=True, kw_only=True)
class RunFigures:
    """The figures of one run. Angles are in degrees; None where a run has none."""

    system: str
    seed: int
    file: str
    transports_weights: bool
    test_accuracy: float
    seconds_per_step: float
    training_seconds: float
    test_top5_accuracy: float | None = None
    validation_accuracy: float | None = None
    validation_top5_accuracy: float | None = None
    data_wait: float | None = None
    """Seconds in which training waited for batches; training_seconds leaves them out."""
    median_matrix_angle: float | None = None
    largest_matrix_angle: float | None = None
    median_delta_angle: float | None = None

    @classmethod
    def of(cls, summary: Mapping[str, Any], file: str) -> "RunFigures":
        """From what `counterstream.analysis.summary` says of a recording."""
        known = {field.name for field in fields(cls)}
        chosen = {name: value for name, value in summary.items() if name in known}
        return cls(system=summary["learning"], file=file, **chosen)


@dataclass(frozen=True, kw_only=True)
class SystemFigures:
    """One learning system over its seeds: means, and of the accuracy the sample standard deviation (None: one
    seed).

    `relative_time` is the time per step over that of the experiment's first system with the same seed, averaged over
    seeds; None where that system did not run.
    """

    system: str
    transports_weights: bool
    seeds: tuple[int, ...]
    test_accuracy: float
    test_accuracy_spread: float | None
    test_top5_accuracy: float | None
    validation_accuracy: float | None
    validation_accuracy_spread: float | None
    median_matrix_angle: float | None
    largest_matrix_angle: float | None
    median_delta_angle: float | None
    seconds_per_step: float
    relative_time: float | None


def by_system(runs: Sequence[RunFigures]) -> list[SystemFigures]:
    """One row for each learning system, in the order in which they first occur."""
    names = list(dict.fromkeys(run.system for run in runs))
    return [_system([run for run in runs if run.system == name], runs) for name in names]


def _system(own: Sequence[RunFigures], runs: Sequence[RunFigures]) -> SystemFigures:
    accuracies = [run.test_accuracy for run in own]
    baseline = {run.seed: run.seconds_per_step for run in runs if run.system == runs[0].system}
    largest = [run.largest_matrix_angle for run in own if _is_number(run.largest_matrix_angle)]
    return SystemFigures(
        system=own[0].system,
        transports_weights=own[0].transports_weights,
        seeds=tuple(run.seed for run in own),
        test_accuracy=mean(accuracies),
        test_accuracy_spread=_spread(accuracies),
        test_top5_accuracy=_mean(run.test_top5_accuracy for run in own),
        validation_accuracy=_mean(run.validation_accuracy for run in own),
        validation_accuracy_spread=_spread(run.validation_accuracy for run in own),
        median_matrix_angle=_mean(run.median_matrix_angle for run in own),
        largest_matrix_angle=max(largest, default=None),
        median_delta_angle=_mean(run.median_delta_angle for run in own),
        seconds_per_step=mean(run.seconds_per_step for run in own),
        relative_time=_mean(run.seconds_per_step / baseline[run.seed] for run in own if run.seed in baseline),
    )


def summary(name: str, runs: Sequence[RunFigures], *, status: str, experiment: Mapping[str, Any]) -> dict[str, Any]:
    """The content of summary.json: plain values only."""
    return {
        "format": FORMAT,
        "experiment": name,
        "status": status,
        "settings": dict(experiment),
        "systems": [asdict(row) for row in by_system(runs)],
        "runs": [asdict(run) for run in runs],
    }


def _mean(values: Iterable[float | None]) -> float | None:
    found = [value for value in values if _is_number(value)]
    return mean(found) if found else None


def _spread(values: Iterable[float | None]) -> float | None:
    """The sample standard deviation; None for fewer than two values."""
    found = [value for value in values if _is_number(value)]
    return stdev(found) if len(found) > 1 else None


def _is_number(value: float | None) -> TypeGuard[float]:
    return value is not None and not math.isnan(value)
