"""The report's figures: error over training, angles over training and depth, |B| / |W| over depth."""

from collections.abc import Sequence

import pandas as pd

from .charts import Line, chart, empty, values_of
from .evidence import Evidence, System, last
from .heatmap import cells
from .markup import Markup, counted, tag
from .scales import Axis, degrees, linear, logarithmic, ranks

MOST_LINES = 24  # of more layers, a map is drawn in place of one line each
SHADES = 10
NO_REVERSE = "No projection of this system has a recorded reverse: a matrix angle does not apply."
NOT_RECORDED = "No matrix angles were recorded, nor the weights of both of a pair."
ANGLES = {
    "matrix": ("projection", "Matrix angle", NO_REVERSE),
    "delta": ("population", "Delta angle", "No delta angles were recorded."),
    "local": ("population", "Local angle", "No local angles were recorded."),
}


def training(systems: Sequence[System]) -> Markup:
    """Error and loss against epochs, one line a system: mean over seeds, the band from the least to the greatest."""
    charts = []
    for title, column, flip in (
        ("Training error", "accuracy", True),
        ("Validation error", "validation_accuracy", True),
        ("Training loss", "loss", False),
        ("Validation loss", "validation_loss", False),
    ):
        lines = [line for system in systems if (line := _course(system, column, flip))]
        if lines:
            unit = "%" if flip else ""
            y = logarithmic("error (%)" if flip else "loss", values_of(lines), unit=unit)
            charts.append(chart(title, lines, epochs_axis(systems), y, summary=_spoken(lines, unit)))
    if not charts:
        return tag("p", "No metrics were recorded.", class_="nothing")
    return tag("div", *charts, class_="panels")


def angles(systems: Sequence[System], which: str) -> Markup:
    """One panel a system: the `matrix`, `delta` or `local` angle of every layer against epochs.

    Where layers are many, a map in place of lines.
    """
    name, title, missing = ANGLES[which]
    tables = [system.over_runs(lambda run: getattr(run, which), name, "angle_degrees") for system in systems]
    x = epochs_axis(systems)
    y = degrees("angle", pd.concat([table["mean"] for table in tables]) if tables else ())
    panels = []
    for system, table in zip(systems, tables, strict=True):
        label = system.name + (" · transports weights" if system.transports else "")
        if table.empty:
            unrecorded = which == "matrix" and system.first.learning.reverses
            panels.append(empty(label, NOT_RECORDED if unrecorded else missing))
        elif table[name].nunique() <= MOST_LINES:
            panels.append(_lines(label, table, name, x, y))
        else:
            panels.append(_map(label, table, name, x))
    return tag("div", *panels, class_="panels", role="group", aria_label=title)


def depths(systems: Sequence[System]) -> Markup:
    """Profiles over depth at the end of training: matrix, delta and local angle, |B| / |W|."""
    charts = []
    for title, which, value in (
        ("Matrix angle", "matrix", "angle_degrees"),
        ("Delta angle", "delta", "angle_degrees"),
        ("Local angle", "local", "angle_degrees"),
        ("Length of B over length of W", "matrix", "norm_ratio"),
    ):
        lines = [line for system in systems if (line := _profile(system, which, value))]
        if lines:
            kind = ANGLES[which][0]
            x = ranks(f"{kind}, in the order of the forward pass", max(int(max(line.x)) + 1 for line in lines))
            values = values_of(lines)
            y = degrees("angle", values) if value == "angle_degrees" else logarithmic("|B| / |W|", values)
            charts.append(chart(title, lines, x, y, summary=_spoken(lines, y.unit)))
    if not charts:
        return tag("p", "No angles were recorded.", class_="nothing")
    return tag("div", *charts, class_="panels")


def key(systems: Sequence[System]) -> Markup:
    """The systems' colors."""
    items = [tag("li", tag("span", class_=f"swatch {system.look}"), system.name) for system in systems]
    return tag("ul", *items, class_="key", aria_label="Colors of the systems")


def is_map(systems: Sequence[System], which: str) -> bool:
    name = ANGLES[which][0]
    return any(getattr(run, which)[name].nunique() > MOST_LINES for system in systems for run in system.judged)


def has(systems: Sequence[System], which: str) -> bool:
    return any(len(getattr(run, which)) for system in systems for run in system.runs)


def epochs_axis(systems: Sequence[System]) -> Axis:
    """From 0 to the last record of any run."""
    ends = [
        float(frame["epoch"].max())
        for system in systems
        for run in system.runs
        for frame in (run.metrics, run.matrix, run.delta, run.local)
        if len(frame)
    ]
    axis = linear("epochs", ends)
    high = max(ends, default=axis.high) or 1.0
    ticks = tuple(tick for tick in axis.ticks if tick[0] <= high * 1.001)
    return Axis(label="epochs", low=0.0, high=high, ticks=ticks)


def _course(system: System, column: str, flip: bool) -> Line | None:
    """The mean over runs of a metric against epochs."""
    frames = [run.metrics[["epoch", column]].dropna() for run in system.judged if column in run.metrics]
    frames = [frame for frame in frames if len(frame)]
    if not frames:
        return None
    table = pd.concat(frames).groupby("epoch")[column].agg(["mean", "min", "max"])
    if flip:
        table = 100 * (1 - table.rename(columns={"min": "max", "max": "min"}))
    low, high = _band(table, len(frames))
    y = table["mean"].tolist()
    return Line(name=system.name, x=table.index.tolist(), y=y, low=low, high=high, look=f"system {system.look}")


def _lines(title: str, table: pd.DataFrame, name: str, x: Axis, y: Axis) -> Markup:
    deepest = max(int(table["depth"].max()), 1)
    lines = [
        Line(
            name=str(layer), x=rows["epoch"].tolist(), y=rows["mean"].tolist(),
            look=f"layer d{int(rows['depth'].iloc[0]) * (SHADES - 1) // deepest}",
        )
        for layer, rows in table.groupby(name, sort=False)
    ]  # fmt: skip
    median = table.groupby("epoch")["mean"].median()
    end = f"{median.iloc[-1]:.0f}°"
    lines.append(Line(name="median", x=median.index.tolist(), y=median.tolist(), look="median", end=end))
    return chart(title, lines, x, y, summary=_told(table, name))


def _map(title: str, table: pd.DataFrame, name: str, x: Axis) -> Markup:
    return chart(title, [], x, _layers(table, name), summary=_told(table, name), within=cells(table, name, x))


def _layers(table: pd.DataFrame, name: str) -> Axis:
    count = table[name].nunique()
    ticks = ((0.5, "first"), (count - 0.5, "last"))
    return Axis(label=f"{count} {name}s", low=0.0, high=float(count), ticks=ticks)


def _told(table: pd.DataFrame, name: str) -> str:
    """The end of the curves in words, for those who do not see them."""
    end = table[table["epoch"] == table["epoch"].max()]["mean"]
    layers = counted(table[name].nunique(), name)
    return f"{layers}; at the end median {end.median():.1f}°, largest {end.max():.1f}°."


def _profile(system: System, which: str, value: str) -> Line | None:
    """The end of training, layer by layer: mean over runs, the band from the least to the greatest."""
    name = ANGLES[which][0]

    def final(run: Evidence) -> pd.DataFrame:
        return last(getattr(run, which)).assign(epoch=0.0)

    table = system.over_runs(final, name, value).dropna(subset=["mean"])
    if table.empty:
        return None
    low, high = _band(table, len(system.judged))
    return Line(
        name=system.name, x=table["depth"].tolist(), y=table["mean"].tolist(), low=low, high=high,
        look=f"system {system.look}", dots=True, names=table[name].astype(str).tolist(),
    )  # fmt: skip


def _band(table: pd.DataFrame, runs: int) -> tuple[list[float], list[float]]:
    """The ends of a line's band: one run has none."""
    return (table["min"].tolist(), table["max"].tolist()) if runs > 1 else ([], [])


def _spoken(lines: Sequence[Line], unit: str) -> str:
    return "At the end: " + "; ".join(f"{line.name} {line.y[-1]:.3g}{unit}" for line in lines) + "."


def shades() -> Markup:
    """The key of a panel of layers: from first to last, and the median."""
    steps = [tag("span", class_=f"swatch layer d{index}") for index in range(SHADES)]
    return tag(
        "p", "one layer: first ", tag("span", *steps, class_="ramp"), " last",
        tag("span", tag("span", class_="swatch median"), "median over layers", class_="after"), class_="key",
    )  # fmt: skip


def ramp() -> Markup:
    """The key of a map."""
    return tag(
        "p", "0° (feedback mirrors forward) ", tag("span", class_="ramp map"), " 90° (unrelated)", class_="key",
    )  # fmt: skip


def keys(systems: Sequence[System], which: str) -> Markup:
    """What the panels of an angle need to be read."""
    return ramp() if is_map(systems, which) else shades()
