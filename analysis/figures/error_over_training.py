"""Error against epochs: the training error of every system, and the error on images that it did not train on."""

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..bootstrap import interval
from ..run import Run
from .style import QUIET, Runs, counted, drawn, line, ruled, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TITLE = "Error over training"
INCHES = (7.6, 3.9)


def error_over_training(runs: Runs, path: str | PathLike[str]) -> Path:
    """Draws each system's training error against epochs, and on the right the validation error likewise where it was
    recorded, or else each run's test error at the end.

    runs: system name -> its runs, of which the complete ones count. A curve is their mean, its band their range. Of a
    test error the bar is the mean, the whisker its bootstrap interval (two runs or more).
    """
    runs = counted(runs)
    with drawn(path, runs, INCHES) as figure:
        left, right = figure.subplots(1, 2, width_ratios=(1.25, 1))
        _curves(left, runs, "accuracy", "training error (%)")
        if any(_error(run, "validation_accuracy").notna().any() for members in runs.values() for run in members):
            _curves(right, runs, "validation_accuracy", "validation error (%)")
        else:
            _final(right, runs)
        handles, labels = left.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, handlelength=3)
        title(figure, TITLE)
    return Path(path)


def _curves(axes: "Axes", runs: Runs, metric: str, label: str) -> None:
    for number, (system, members) in enumerate(runs.items()):
        table = pd.DataFrame([_error(run, metric) for run in members]).dropna(axis="columns", how="all")
        if table.empty:
            continue
        epochs, style = table.columns.to_numpy(dtype=float), line(number)
        axes.plot(epochs, table.mean().to_numpy(), label=system, **style)
        if len(members) > 1:
            axes.fill_between(epochs, table.min(), table.max(), color=style["color"], alpha=0.12, linewidth=0)
    axes.set_xlabel("epochs")
    axes.set_ylabel(label)
    axes.set_yscale("symlog", linthresh=1, linscale=0.5)  # a logarithm that has room for 0
    axes.set_yticks([0, 1, 3, 10, 30, 100], minor=False)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_ylim(-0.05, 110)
    ruled(axes)


def _final(axes: "Axes", runs: Runs) -> None:
    """Test errors at the end: a dot a run, the mean and its interval."""
    for number, members in enumerate(runs.values()):
        accuracies = [run.results.get("test_accuracy") for run in members]
        errors = [100 * (1 - value) for value in accuracies if isinstance(value, int | float)]
        if not errors:
            continue
        color = line(number)["color"]
        axes.plot([float(np.mean(errors))] * 2, [number - 0.28, number + 0.28], color=color, linewidth=2.2)
        if len(errors) > 1:
            axes.plot(interval(errors), [number, number], color=color, linewidth=1)
        axes.plot(errors, [number] * len(errors), "o", color=color, markersize=4.5, alpha=0.7, markeredgewidth=0)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_ylim(len(runs) - 0.5, -0.5)
    axes.set_xlim(left=0)
    axes.set_xlabel("test error at the end (%)")
    axes.grid(axis="x", color="0.92", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.text(1, 1.01, "dot: a run. bar: mean", transform=axes.transAxes, ha="right", fontsize=7, color=QUIET)


def _error(run: Run, metric: str) -> "pd.Series[float]":
    """In percent, by epoch; empty where the run did not record the metric."""
    table = run.metrics()
    if metric not in table:
        return pd.Series(dtype=float)
    table = table.dropna(subset=[metric]).drop_duplicates("epoch", keep="last")
    return pd.Series(100 * (1 - table[metric].to_numpy()), index=table["epoch"].to_numpy(), dtype=float)
