"""Singular values of W and B in some layers, at the start and at the end of a run."""

import math
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ..run import Run
from ..spectra import singular_spectra
from .style import COLORS, QUIET, drawn, ruled, title, whole_numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TITLE = "Singular values of forward and feedback weights"
PANEL_INCHES = (2.9, 2.3)
PANELS = 6
COLUMNS = 3


def spectra_of_layers(run: Run, path: str | PathLike[str], projections: Sequence[str] | None = None) -> Path:
    """Draws the singular values of W and B, largest first: at the end of training, and of W at its start.

    A panel a projection: those named, or six from the first to the last that have a recorded reverse (any, where
    none has).
    """
    names = list(projections) if projections is not None else _spread(run)
    table = singular_spectra(run, [0, -1], names)
    rows = max(1, math.ceil(len(names) / COLUMNS))
    with drawn(path, {"": [run]}, (COLUMNS * PANEL_INCHES[0], rows * PANEL_INCHES[1] + 0.8)) as figure:
        cells = list(figure.subplots(rows, COLUMNS, squeeze=False).flat)
        for axes, name in zip(cells, names, strict=False):
            _panel(axes, table[table["projection"] == name], name)
        for axes in cells[len(names) :]:
            axes.set_axis_off()
        for number, axes in enumerate(cells[: len(names)]):
            if number + COLUMNS >= len(names):
                axes.set_xlabel("rank")
            if number % COLUMNS == 0:
                axes.set_ylabel("singular value")
        handles = {
            label: handle for axes in cells for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
        }
        figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=4, frameon=False)
        title(figure, f"{TITLE}: {run.attributes['learning']}")
    return Path(path)


def _panel(axes: "Axes", table: pd.DataFrame, name: str) -> None:
    first, last = table["snapshot"].min(), table["snapshot"].max()
    drawings: tuple[tuple[str, str, int, dict[str, Any]], ...] = (
        ("W at the start", "forward", first, {"color": "0.65", "linewidth": 1.2}),
        ("W at the end", "forward", last, {"color": COLORS[0], "linewidth": 2.0}),
        ("B at the end", "reverse", last, {"color": COLORS[1], "linewidth": 1.8, "linestyle": (0, (3.5, 1.8))}),
    )
    for label, side, snapshot, style in drawings:
        curve = table[(table["side"] == side) & (table["snapshot"] == snapshot)]
        if not curve.empty:
            axes.plot(curve["rank"], curve["singular_value"], label=label, **style)
    axes.set_ylim(bottom=0)
    whole_numbers(axes)
    axes.set_title(name if len(name) < 34 else f"…{name[-32:]}", loc="left", fontsize=7.5, color=QUIET)
    ruled(axes)


def _spread(run: Run) -> list[str]:
    """Up to PANELS projections, evenly from the first to the last."""
    names = [name for name, _ in run.pairs] or [n for n, s in run.synapses.items() if s.role == "forward"]
    count = min(PANELS, len(names))
    return [names[round(index * (len(names) - 1) / max(1, count - 1))] for index in range(count)]
