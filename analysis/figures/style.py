"""The house's style: what all figures share."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import AnalysisError
from ..grouping import counting, distinct
from ..run import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = (".png", ".pdf", ".svg")
DPI = 160
QUIET = "0.45"
# Okabe and Ito's, told apart in every kind of color vision; in the order of most contrast to their neighbors.
COLORS = ("#000000", "#D55E00", "#0072B2", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
DASHES = ("-", (0, (4, 1.6)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)), (0, (3, 1, 1, 1, 1, 1)))
STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "pdf.fonttype": 42,  # TrueType: journals refuse Type 3
    "svg.fonttype": "none",
    "svg.hashsalt": "counterstream",  # the same figure is the same file
}

Runs = Mapping[str, Sequence[Run]]


def counted(runs: Runs) -> Runs:
    """Of each system the runs that count: complete ones (all where none is), each file once."""
    return {system: counting(distinct(members)) for system, members in runs.items()}


@contextmanager
def drawn(path: str | PathLike[str], runs: Runs, size: tuple[float, float]) -> Iterator["Figure"]:
    """A figure of this size in inches, written to `path` at the end; the format follows the path's ending."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    path = Path(path)
    if path.suffix.lower() not in FORMATS:
        raise AnalysisError(f"{path}: a figure's name must end in {', '.join(FORMATS)} (got {path.suffix!r})")
    if not any(runs.values()):
        raise AnalysisError(f"{path}: there is no run to draw")
    with rc_context(STYLE):
        figure = Figure(figsize=size, layout="constrained")
        yield figure
        path.parent.mkdir(parents=True, exist_ok=True)
        undated = {"CreationDate": None} if path.suffix.lower() == ".pdf" else {}
        undated |= {"Date": None} if path.suffix.lower() == ".svg" else {}
        figure.savefig(path, dpi=DPI, metadata=undated)


def grid(panels: int) -> tuple[int, int]:
    """(rows, columns) for so many panels and a legend."""
    columns = min(3 if panels <= 5 else 4, panels + 1)
    return math.ceil((panels + 1) / columns), columns


def line(number: int) -> dict[str, Any]:
    """Color and dashes of the curve of this number: each tells it apart without the other."""
    return {"color": COLORS[number % len(COLORS)], "linestyle": DASHES[number % len(DASHES)], "linewidth": 1.8}


def title(figure: "Figure", text: str) -> None:
    figure.suptitle(text, fontsize=12, fontweight="bold")


def panel_title(axes: "Axes", system: str, runs: Sequence[Run]) -> None:
    """The system's name, and whether it is a control that transports weights."""
    axes.set_title(system, loc="left", fontsize=10, fontweight="bold")
    if any(run.attributes["transports_weights"] for run in runs):
        axes.set_title("transports weights", loc="right", fontsize=8, color=QUIET, style="italic")


def ruled(axes: "Axes") -> None:
    axes.grid(axis="y", color="0.92", linewidth=0.6)
    axes.set_axisbelow(True)


def whole_numbers(axes: "Axes") -> None:
    """Ticks of the horizontal axis where something is: at ranks, or at layers."""
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def colormap() -> Any:
    """viridis without its palest fifth, which fades on white."""
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    return ListedColormap(colormaps["viridis"]([index / 319 for index in range(256)]))


def shade(depth: float) -> Any:
    """The color of a layer at a depth from 0 (first) to 1 (last)."""
    return colormap()(float(depth))


def spread_apart(heights: Sequence[float], distance: float) -> list[float]:
    """Heights, in their order, moved up where two are nearer than `distance`: for labels beside curves' ends."""
    order = sorted(range(len(heights)), key=lambda index: heights[index])
    placed, last = [0.0] * len(heights), -math.inf
    for index in order:
        last = max(heights[index], last + distance)
        placed[index] = last
    return placed
