"""The paper's figure: do the feedback synapses come to mirror the forward ones?"""

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ..angles import delta_angles, matrix_angles
from ..run import Run
from .style import QUIET, Runs, colormap, counted, drawn, grid, panel_title, ruled, shade, spread_apart, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLE = "Do the feedback synapses come to mirror the forward ones?"
PANEL_INCHES = (3.1, 2.5)
# Okabe and Ito's vermilion stands off from viridis and black in every kind of color vision.
DELTA_COLOR = "#D55E00"
MATRIX_COLOR = "black"
DASHES = (0, (3.5, 1.8))


def angles_over_training(runs: Runs, path: str | PathLike[str]) -> Path:
    """Draws matrix and delta angles against epochs, one panel per system, and returns the path written.

    runs: system name -> its runs (say one a seed); the complete ones are averaged layer by layer. A thin line is the
    matrix angle of one layer, colored by depth; the thick black line their median; the dashed one the median
    delta angle over populations. The format follows the path's ending: .png, .pdf or .svg.
    """
    runs = counted(runs)
    rows, columns = grid(len(runs))
    size = (columns * PANEL_INCHES[0], rows * PANEL_INCHES[1] + 0.5)
    with drawn(path, runs, size) as figure:
        cells = list(figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flat)
        for axes, (system, members) in zip(cells, runs.items(), strict=False):
            _panel(axes, system, members)
        _label(cells[: len(runs)], columns)
        _legend(figure, cells[len(runs)], max(len(members) for members in runs.values()))
        for axes in cells[len(runs) :]:
            axes.set_axis_off()
        title(figure, TITLE)
    return Path(path)


def _panel(axes: "Axes", system: str, runs: Sequence[Run]) -> None:
    matrix = _averaged([_matrix(run) for run in runs], "projection")
    delta = _averaged([delta_angles(run) for run in runs], "population")
    axes.axhline(90, color="0.8", linewidth=0.8, zorder=0)
    for _, layer in matrix.groupby("depth"):
        color = shade(layer["shade"].iloc[0])
        axes.plot(layer["epoch"], layer["angle_degrees"], color=color, linewidth=1, alpha=0.85)
    _median(axes, matrix, {"color": MATRIX_COLOR, "linewidth": 2.2})
    _median(axes, delta, {"color": DELTA_COLOR, "linewidth": 2.0, "linestyle": DASHES})
    _end_labels(axes, {MATRIX_COLOR: matrix, DELTA_COLOR: delta})
    if matrix.empty:
        reason = "no matrix angles: no projection\nhas a recorded reverse"
        axes.text(0.5, 0.12, reason, transform=axes.transAxes, ha="center", color=QUIET, fontsize=8)
    panel_title(axes, system, runs)
    ruled(axes)


def _matrix(run: Run) -> pd.DataFrame:
    """What was measured during the run, often at more instants than weights were recorded; else from the weights."""
    recorded = matrix_angles(run, source="recorded")
    return matrix_angles(run) if recorded.empty else recorded


def _averaged(tables: Sequence[pd.DataFrame], name: str) -> pd.DataFrame:
    """The mean over runs of each layer's angle at each epoch; `shade` is its depth, 0 (first) to 1 (last)."""
    tables = [table for table in tables if not table.empty] or list(tables[:1])
    layers = pd.concat(tables, ignore_index=True).groupby([name, "depth", "epoch"], sort=False)
    table = layers["angle_degrees"].mean().reset_index()
    deepest = max(1, table["depth"].max()) if len(table) else 1
    return table.assign(shade=table["depth"] / deepest).sort_values(["depth", "epoch"])


def _median(axes: "Axes", table: pd.DataFrame, style: dict[str, Any]) -> None:
    if not table.empty:
        median = table.groupby("epoch")["angle_degrees"].median()
        axes.plot(median.index, median.to_numpy(), solid_capstyle="round", **style)


def _end_labels(axes: "Axes", tables: Mapping[str, pd.DataFrame]) -> None:
    """The last medians as numbers beside the curves' ends, moved apart where they would touch."""
    ends = []
    for color, table in tables.items():
        if not table.empty:
            last = table[table["epoch"] == table["epoch"].max()]
            ends.append((float(last["angle_degrees"].median()), float(table["epoch"].max()), color))
    heights = spread_apart([angle for angle, _, _ in ends], 9)
    for (angle, epoch, color), height in zip(ends, heights, strict=True):
        axes.annotate(
            f"{angle:.0f}°", (epoch, height), xytext=(4, 0), textcoords="offset points",
            va="center", color=color, fontsize=8, fontweight="bold", annotation_clip=False,
        )  # fmt: skip


def _label(panels: Sequence["Axes"], columns: int) -> None:
    """The common scales and their names; angles beyond 90 degrees make room for themselves."""
    panels[0].set_ylim(-3, max([97.0, *(axes.dataLim.y1 + 4 for axes in panels)]))
    panels[0].set_yticks([0, 30, 60, 90])
    for index, axes in enumerate(panels):
        if index % columns == 0:
            axes.set_ylabel("angle (degrees)")
        if index + columns >= len(panels):  # nothing drawn below it
            axes.set_xlabel("epochs")
            axes.tick_params(labelbottom=True)


def _legend(figure: "Figure", axes: "Axes", most_runs: int) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=shade(0.5), linewidth=1.2, label="matrix angle of one layer"),
        Line2D([], [], color=MATRIX_COLOR, linewidth=2.2, label="median matrix angle"),
        Line2D([], [], color=DELTA_COLOR, linewidth=2.0, linestyle=DASHES, label="median delta angle"),
    ]
    axes.legend(handles=handles, loc="upper left", frameon=False, handlelength=2.6, borderaxespad=0)
    bar = figure.colorbar(ScalarMappable(cmap=colormap()), cax=axes.inset_axes((0.04, 0.5, 0.6, 0.05)),
                          orientation="horizontal", ticks=[0, 1])  # fmt: skip
    bar.ax.set_xticklabels(["first", "last"])
    bar.ax.tick_params(length=0, labelsize=8)
    bar.set_label("layer", fontsize=8, labelpad=-8)
    bar.outline.set_visible(False)
    averaged = f"Mean of {most_runs} runs, layer by layer.\n" if most_runs > 1 else ""
    note = f"0°: feedback mirrors forward. 90°: unrelated.\n{averaged}Numbers: medians at the end."
    axes.text(0.02, 0.08, note, transform=axes.transAxes, fontsize=8, color=QUIET, linespacing=1.4)
