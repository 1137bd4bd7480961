"""The report's tables: systems over their seeds, every run, every layer."""

import math
from collections.abc import Sequence
from statistics import mean, stdev
from typing import Any

import pandas as pd

from .. import bootstrap
from .evidence import Evidence, System, last
from .markup import Markup, join, tag

MISSING = "–"


def table(caption: object, headings: Sequence[object], rows: Sequence[Sequence[object]], *, texts: int = 1) -> Markup:
    """A table with a caption; the first `texts` columns hold words, the others numbers. Wide ones scroll."""
    sides = ["" if column < texts else "number" for column in range(len(headings))]
    head = [tag("th", heading, scope="col", class_=side or None) for heading, side in zip(headings, sides, strict=True)]
    body = []
    for first, *others in rows:
        cells = [tag("td", value, class_=side or None) for value, side in zip(others, sides[1:], strict=True)]
        body.append(tag("tr", tag("th", first, scope="row"), *cells))
    inner = tag("table", tag("caption", tag("span", caption)), tag("thead", tag("tr", *head)), tag("tbody", *body))
    return tag("div", inner, class_="scroll", tabindex=0, role="region", aria_label=caption)


def method() -> str:
    """How the figures of `of_systems` come about."""
    return (
        "±: standard deviation over seeds. Intervals: percentile bootstrap of the mean over seeds "
        f"({bootstrap.RESAMPLES:,} resamples). Differences, and ratios of times, are to the first system "
        "of the same circuit and settings, paired by seed where both ran it."
    )


def of_systems(systems: Sequence[System]) -> Markup:
    """One row a system: means over its complete runs, and what their seeds can say of them and of differences."""
    validated = any(_known(_results(system, "validation_accuracy")) for system in systems)
    baselines, level = [_baseline(system, systems) for system in systems], f"{bootstrap.LEVEL:.0%}".replace("%", " %")
    one = len({system.context for system in systems}) == 1
    minus = f"minus {systems[0].name}, points" if one else "minus the first of the same circuit and settings, points"
    several = any(system is not baseline for system, baseline in zip(systems, baselines, strict=True))
    headings = (
        "Learning system", "Transports weights", "Seeds", *(("Validation accuracy %",) if validated else ()),
        "Test accuracy %", f"{level} interval", *((minus,) if several else ()),
        "Matrix angle: median, largest", "Delta angle: median, largest", "|B| / |W|, median", "Time a step",
    )  # fmt: skip
    rows = [_system(*pair, validated, several) for pair in zip(systems, baselines, strict=True)]
    return table("Learning systems at the end of training: means over seeds", headings, rows, texts=2)


def _baseline(system: System, systems: Sequence[System]) -> System:
    """The first of the same circuit and settings: only there does a seed mean the same start and order of samples."""
    return next(other for other in systems if other.context == system.context)


def _system(system: System, baseline: System, validated: bool, several: bool) -> tuple[object, ...]:
    runs = system.judged
    accuracies = _results(system, "test_accuracy")
    matrix, delta = ([last(getattr(run, which))["angle_degrees"] for run in runs] for which in ("matrix", "delta"))
    ratios = [last(run.matrix)["norm_ratio"].median() for run in runs]
    verdict = tag("span", "yes", class_="transports") if system.transports else "no"
    return (
        join([tag("span", class_=f"swatch {system.look}"), system.name]),
        verdict,
        len(runs),
        *((_spread(_results(system, "validation_accuracy")),) if validated else ()),
        _spread(accuracies),
        _between(bootstrap.interval(_known(accuracies))),
        *((_difference(system, baseline),) if several else ()),
        _median_and_largest(matrix),
        _median_and_largest(delta),
        _figure(_mean(ratios), 3),
        _time(system, baseline),
    )


def _results(system: System, name: str) -> list[float]:
    """A result of each counting run, in hundredths."""
    return [100 * run.number(name) for run in system.judged]


def _median_and_largest(runs: Sequence[pd.Series]) -> str:
    """The mean of the runs' medians, and the largest angle of any."""
    largest = max(_known([angles.max() for angles in runs]), default=math.nan)
    median = _mean([angles.median() for angles in runs])
    return MISSING if math.isnan(median) else f"{median:.1f}°, {largest:.1f}°"


def _difference(system: System, baseline: System) -> str:
    """How much more test accuracy than the baseline's, in points, with its interval."""
    if system is baseline:
        return MISSING
    own, other = ({run.seed: 100 * run.number("test_accuracy") for run in s.judged} for s in (system, baseline))
    shared = _known([own[seed] - other[seed] for seed in own if seed in other])
    if shared:
        return f"{mean(shared):+.1f} {_within(bootstrap.interval(shared))}".strip()
    first, second = _known(list(own.values())), _known(list(other.values()))
    if not first or not second:
        return MISSING
    return f"{mean(first) - mean(second):+.1f} {_within(bootstrap.difference_interval(first, second))}".strip()


def of_runs(systems: Sequence[System]) -> Markup:
    """One row a file: where every number comes from."""
    headings = (
        "File",
        "System",
        "Status",
        "Made",
        "Version",
        "Commit",
        "Seed",
        "Steps",
        "Snapshots",
        "Test accuracy %",
    )
    rows = [_run(system, run) for system in systems for run in system.runs]
    return table("Recordings", headings, rows, texts=6)


def _run(system: System, run: Evidence) -> tuple[object, ...]:
    commit = str(run.about.get("git_commit", ""))[:10] + (", changed" if run.about.get("git_dirty") else "")
    steps = int(run.metrics["step"].max()) if len(run.metrics) else MISSING
    again = int(run.about.get("resumptions", 0))
    status = run.status + (f", taken up again {again} x" if again else "")
    version = run.about.get("package_version") or run.environment.get("counterstream", MISSING)
    made = str(run.about.get("created", MISSING)).replace("T", " ")[:16]
    return (
        run.path.name, system.name, status, made, version, commit or MISSING, run.seed, steps, run.snapshots,
        _figure(100 * run.number("test_accuracy"), 1),
    )  # fmt: skip


def of_layers(system: System) -> Markup:
    """Two tables: projections with matrix angle and norm ratio, populations with delta and local angle, at the end."""
    projections = _ended(system, "matrix", "projection", ("angle_degrees", "norm_ratio"))
    populations = _ended(system, "delta", "population", ("angle_degrees",))
    local = _ended(system, "local", "population", ("angle_degrees",))
    parts = []
    if len(projections):
        rows = [
            (row[0], _interval(row[1:4], 1, "°"), _interval(row[4:7], 3)) for row in projections.itertuples(index=False)
        ]
        parts.append(table(f"{system.name}: projections", ("Projection", "Matrix angle", "|B| / |W|"), rows))
    if len(populations):
        beside = {row[0]: row[1:4] for row in local.itertuples(index=False)}
        rows = [
            (row[0], _interval(row[1:4], 1, "°"), _interval(beside.get(row[0], (math.nan,) * 3), 1, "°"))
            for row in populations.itertuples(index=False)
        ]
        parts.append(table(f"{system.name}: populations", ("Population", "Delta angle", "Local angle"), rows))
    return tag("div", *parts, class_="pair") if parts else tag("p", "No angle was recorded.", class_="nothing")


def _ended(system: System, which: str, name: str, columns: Sequence[str]) -> pd.DataFrame:
    """name, then mean, min and max of each column over the counting runs, in the order of depth."""
    frames = [last(getattr(run, which)) for run in system.judged]
    frames = [frame for frame in frames if len(frame)]
    if not frames:
        return pd.DataFrame()
    grouped = pd.concat(frames).groupby(["depth", name])[list(columns)].agg(["mean", "min", "max"])
    return grouped.sort_index().droplevel("depth").reset_index()


def _interval(values: Sequence[Any], digits: int, unit: str = "") -> str:
    """`7.9°`, or `7.9° (7.1–8.6)` where runs differ."""
    middle, low, high = map(float, values)
    if math.isnan(middle):
        return MISSING
    ends = f"{low:.{digits}f}", f"{high:.{digits}f}"
    return f"{middle:.{digits}f}{unit}" + (f" ({ends[0]}–{ends[1]})" if ends[0] != ends[1] else "")


def _time(system: System, baseline: System) -> str:
    """Milliseconds a step, and over those of the baseline with the same seed."""
    own, other = ({run.seed: run.number("seconds_per_step") for run in s.judged} for s in (system, baseline))
    ratios = _known([seconds / other[seed] for seed, seconds in own.items() if other.get(seed)])
    if not _known(list(own.values())):
        return MISSING
    return f"{1000 * _mean(list(own.values())):.1f} ms" + (f", {mean(ratios):.2f} x" if ratios else "")


def _spread(values: Sequence[float]) -> str:
    known = _known(values)
    if not known:
        return MISSING
    return f"{mean(known):.1f}" + (f" ± {stdev(known):.1f}" if len(known) > 1 else "")


def _between(ends: tuple[float, float], sign: str = "") -> str:
    low, high = ends
    return MISSING if math.isnan(low) else f"{low:{sign}.1f} to {high:{sign}.1f}"


def _within(ends: tuple[float, float]) -> str:
    return "" if math.isnan(ends[0]) else f"({_between(ends, '+')})"


def _figure(value: float, digits: int) -> str:
    return MISSING if math.isnan(value) else f"{value:.{digits}f}"


def _mean(values: Sequence[float]) -> float:
    known = _known(values)
    return mean(known) if known else math.nan


def _known(values: Sequence[float]) -> list[float]:
    return [float(value) for value in values if not math.isnan(value)]
