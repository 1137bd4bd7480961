"""Line charts as SVG, colored by the page's style; its script reads the values from `data-x`, `data-y` of each line."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .markup import Markup, join, tag, text
from .scales import Axis

WIDTH, HEIGHT = 360, 226  # of the view; the page scales it, so that letters of 11 stay about as large
LEFT, RIGHT, TOP, BOTTOM = 40.0, 34.0, 22.0, 36.0
INNER, UPRIGHT = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
NOTHING = Markup()
APART = 12.0  # between the baselines of two labels
MOST_POINTS = 120  # of one line: more than a chart of this width can show


@dataclass(frozen=True, kw_only=True)
class Line:
    """One curve. `look` names its class in the page's style; `low` and `high`, where given, bound a shaded band.

    end: a label behind the last point. dots: each point is marked. names: what the points are called in place of
    their x.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    look: str
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    end: str = ""
    dots: bool = False
    names: Sequence[str] = ()


def chart(
    title: str, lines: Sequence[Line], x: Axis, y: Axis, *, summary: str = "", within: Markup = NOTHING
) -> Markup:
    """A chart with its title above. `within` is drawn below the lines, in the chart's coordinates."""
    shown = [thinned for line in lines if (thinned := _thinned(line)).x]
    heading = tag("figcaption", title)
    picture = tag(
        "svg",
        _frame(x, y),
        within,
        *(_band(line, x, y) for line in shown if line.low),
        *(_line(line, x, y) for line in shown),
        _ends(shown, x, y),
        class_="chart",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        tabindex=0,
        aria_label=f"{title}. {y.label} against {x.label}. {summary}".strip(),
        data_x=x.label,
        data_y=y.label,
        data_unit=y.unit,
    )
    return tag("figure", heading, picture, class_="panel")


def empty(title: str, reason: str) -> Markup:
    """The place of a chart for which there is nothing to draw, and why."""
    return tag("figure", tag("figcaption", title), tag("p", reason, class_="nothing"), class_="panel")


def across(axis: Axis, value: float) -> float:
    return LEFT + axis.place(value) * INNER


def upward(axis: Axis, value: float) -> float:
    return TOP + (1 - axis.place(value)) * UPRIGHT


def number(value: float) -> str:
    """A coordinate or a value, short."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if abs(value) >= 1 else f"{value:.4g}"


def _frame(x: Axis, y: Axis) -> Markup:
    bottom = TOP + UPRIGHT
    parts: list[Markup] = []
    for value, label in y.ticks:
        at = number(upward(y, value))
        parts.append(tag("path", d=f"M{number(LEFT)} {at}h{number(INNER)}", class_="grid"))
        parts.append(tag("text", label, x=LEFT - 6, y=at, dy="0.35em", class_="tick right"))
    for position, (value, label) in enumerate(x.ticks):
        outer = len(x.ticks) == 2
        anchor = "left" if outer and position == 0 else "right" if outer else "middle"
        parts.append(tag("text", label, x=number(across(x, value)), y=bottom + 15, class_=f"tick {anchor}"))
    parts.append(tag("text", x.label, x=number(LEFT + INNER / 2), y=bottom + 30, class_="axis middle"))
    parts.append(tag("text", y.label, x=2, y=11, class_="axis"))
    return join(parts)


def _line(line: Line, x: Axis, y: Axis) -> Markup:
    points = list(zip((across(x, v) for v in line.x), (upward(y, v) for v in line.y), strict=True))
    body = tag("path", d=_path(points), class_="stroke")
    marks = (
        [tag("circle", cx=number(a), cy=number(b), r=2.6) for a, b in points] if line.dots or len(points) == 1 else ()
    )
    names = tag("desc", _json(line.names)) if line.names else ""
    given = {"data_x": " ".join(map(number, line.x)), "data_y": " ".join(map(number, line.y))}
    return tag("g", names, body, *marks, class_=f"line {line.look}", data_name=line.name, **given)


def _band(line: Line, x: Axis, y: Axis) -> Markup:
    above = [(across(x, at), upward(y, value)) for at, value in zip(line.x, line.high, strict=True)]
    below = [(across(x, at), upward(y, value)) for at, value in zip(line.x, line.low, strict=True)]
    return tag("path", d=f"{_path([*above, *reversed(below)])}Z", class_=f"band {line.look}")


def _ends(lines: Sequence[Line], x: Axis, y: Axis) -> Markup:
    """Labels behind the last points, moved apart where they would touch, within the chart."""
    labelled = sorted(((upward(y, line.y[-1]), line) for line in lines if line.end), key=lambda pair: pair[0])
    heights = apart([height for height, _ in labelled], least=TOP, most=TOP + UPRIGHT)
    return join(
        tag(
            "text",
            line.end,
            x=number(across(x, line.x[-1]) + 5),
            y=number(height),
            dy="0.35em",
            class_=f"end {line.look}",
        )
        for height, (_, line) in zip(heights, labelled, strict=True)
    )


def apart(heights: Sequence[float], *, least: float, most: float) -> list[float]:
    """Ascending heights, moved so that neighbours stand APART and all between the bounds if there is room."""
    placed: list[float] = []
    for height in heights:
        placed.append(max(height, placed[-1] + APART if placed else least))
    bound = most
    for index in reversed(range(len(placed))):
        placed[index] = min(placed[index], bound)
        bound = placed[index] - APART
    return placed


def _thinned(line: Line) -> Line:
    """The line without missing points, and with at most MOST_POINTS of them, the last among them."""
    kept = [i for i, (a, b) in enumerate(zip(line.x, line.y, strict=True)) if math.isfinite(a) and math.isfinite(b)]
    every = math.ceil(len(kept) / MOST_POINTS) or 1
    kept = sorted({*kept[::every], *kept[-1:]})

    def of(values: Sequence) -> list:
        return [values[i] for i in kept] if len(values) else []

    return Line(
        name=line.name, x=of(line.x), y=of(line.y), look=line.look, low=of(line.low), high=of(line.high), end=line.end,
        dots=line.dots, names=of(line.names),
    )  # fmt: skip


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "".join(f"{'L' if index else 'M'}{number(a)} {number(b)}" for index, (a, b) in enumerate(points))


def _json(names: Sequence[str]) -> Markup:
    import json

    return text(json.dumps(list(names), ensure_ascii=False))


def values_of(lines: Sequence[Line]) -> Iterator[float]:
    """Every value that an axis of these lines must hold."""
    for line in lines:
        yield from (value for value in (*line.y, *line.low, *line.high) if math.isfinite(value))
