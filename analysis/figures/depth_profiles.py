"""Angles at the end of training against depth: in which layers feedback mirrors forward, and the error its way."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from ..angles import delta_angles, local_angles, matrix_angles
from ..run import Run
from .style import QUIET, Runs, counted, drawn, line, ruled, title, whole_numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TITLE = "Angles at the end of training, from the first layer to the last"
PANEL_INCHES = (3.5, 3.1)


def depth_profiles(runs: Runs, path: str | PathLike[str]) -> Path:
    """Draws the last matrix angle of each projection, and the last delta and local angle of each population, against
    depth: a curve a system, the mean over its runs, with a bar from the least to the greatest of them.

    runs: system name -> its runs, of which the complete ones count. Local angles are of populations that
    feedback reaches through weights. A panel of which no run has anything is left out.
    """
    runs = counted(runs)
    panels = [(label, unit, tables) for label, unit, tables in _panels(runs) if any(len(t) for t in tables.values())]
    size = (max(2, len(panels)) * PANEL_INCHES[0], PANEL_INCHES[1] + 0.7)
    with drawn(path, runs, size) as figure:
        cells = figure.subplots(1, max(1, len(panels)), sharey=True, squeeze=False)[0]
        for axes, (label, unit, tables) in zip(cells, panels, strict=False):
            _panel(axes, tables)
            axes.set_title(label, loc="left", fontsize=10, fontweight="bold")
            axes.set_xlabel(f"{unit}, from the first to the last")
        if not panels:
            cells[0].text(0.5, 0.5, "no angles were recorded", ha="center", color=QUIET, transform=cells[0].transAxes)
        cells[0].set_ylabel("angle (degrees)")
        cells[0].set_ylim(-3, max([97.0, *(axes.dataLim.y1 + 4 for axes in cells if panels)]))
        cells[0].set_yticks([0, 30, 60, 90])
        handles, labels = cells[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, handlelength=3.4)
        title(figure, TITLE)
    return Path(path)


def _panels(runs: Runs) -> list[tuple[str, str, dict[str, pd.DataFrame]]]:
    return [
        ("matrix angle", "projections", {s: _profile([_matrix(r) for r in m]) for s, m in runs.items()}),
        ("delta angle", "populations", {s: _profile([delta_angles(r) for r in m]) for s, m in runs.items()}),
        (
            "local angle",
            "populations",
            {s: _profile([local_angles(r, weighted=True) for r in m]) for s, m in runs.items()},
        ),
    ]


def _matrix(run: Run) -> pd.DataFrame:
    table = matrix_angles(run, snapshots=[-1])
    return matrix_angles(run, source="recorded") if table.empty else table


def _profile(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """By depth: mean, least and greatest over runs of the last angle."""
    last = [table[table["step"] == table["step"].max()] for table in tables if not table.empty]
    if not last:
        return pd.DataFrame(columns=["mean", "min", "max"])
    return pd.concat(last).groupby("depth")["angle_degrees"].agg(["mean", "min", "max"])


def _panel(axes: "Axes", tables: dict[str, pd.DataFrame]) -> None:
    axes.axhline(90, color="0.8", linewidth=0.8, zorder=0)
    for number, (system, table) in enumerate(tables.items()):
        style = line(number)
        depths = table.index.to_numpy() + 1
        axes.plot(depths, table["mean"], marker="o", markersize=3.2, label=system, **style)
        axes.vlines(depths, table["min"], table["max"], color=style["color"], linewidth=1, alpha=0.5)
    whole_numbers(axes)
    ruled(axes)
