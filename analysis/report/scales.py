"""Scales of charts: where a value stands between the ends of an axis, and which ticks tell it."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
MOST_TICKS = 6
NEAR = 3.0  # values within this factor need no logarithm


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One axis. `ticks` are (value, label); on a logarithmic one, what is not above `low` stands at its foot."""

    label: str
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    unit: str = ""
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """0 at the low end, 1 at the high one."""
        if not self.logarithmic:
            return (value - self.low) / (self.high - self.low)
        return math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)


def linear(label: str, values: Iterable[float], *, unit: str = "", from_zero: bool = True) -> Axis:
    """Round ticks around finite values."""
    low, high = _ends(values, from_zero)
    step = _round_step((high - low) / (MOST_TICKS - 1))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple((number * step, f"{number * step:g}") for number in range(first, last + 1))
    return Axis(label=label, low=ticks[0][0], high=ticks[-1][0], ticks=ticks, unit=unit)


def degrees(label: str, values: Iterable[float]) -> Axis:
    """0 to 90 degrees, and beyond where values are."""
    _, high = _ends(values, from_zero=True)
    top = 90 if high <= 92 else math.ceil(high / 30) * 30
    ticks = tuple((float(value), f"{value}°") for value in range(0, top + 1, 30))
    return Axis(label=label, low=0.0, high=max(top, high) * 1.03, ticks=ticks, unit="°")


def logarithmic(label: str, values: Iterable[float], *, unit: str = "") -> Axis:
    """Decades, with 2 and 5 between where there are few. Zeros stand at the foot, which is labelled so.

    A linear axis where values are negative, or so near each other that no decade would stand between them.
    """
    known = [value for value in values if math.isfinite(value)]
    positive = [value for value in known if value > 0]
    zero = len(positive) < len(known)
    if not positive or min(known) < 0 or (not zero and max(positive) < NEAR * min(positive)):
        return linear(label, known, unit=unit, from_zero=False)
    low, high = min(positive) / (2 if zero else 1.05), max(positive) * 1.05
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    marks = (1, 2, 5) if len(decades) <= 4 else (1,)
    ticks = [(mark * 10.0**decade, f"{mark * 10.0**decade:g}") for decade in decades for mark in marks]
    shown = [tick for tick in ticks if low * (1.3 if zero else 1) <= tick[0] <= high]
    every = math.ceil(len(shown) / MOST_TICKS) or 1
    foot = [(low, "0")] if zero else []
    return Axis(label=label, low=low, high=high, ticks=(*foot, *shown[::every]), unit=unit, logarithmic=True)


def ranks(label: str, count: int) -> Axis:
    """Depth: 0 to count - 1, labelled first and last."""
    last = max(count - 1, 1)
    ticks = ((0.0, "first"), (float(last), "last")) if count > 1 else ((0.0, "first"),)
    return Axis(label=label, low=-0.02 * last, high=1.02 * last, ticks=ticks)


def _ends(values: Iterable[float], from_zero: bool) -> tuple[float, float]:
    known = [value for value in values if math.isfinite(value)]
    if from_zero:
        known.append(0.0)
    low, high = min(known, default=0.0), max(known, default=1.0)
    return (low, high) if high > low else (low, low + 1)


def _round_step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    return next(step * power for step in STEPS if step * power >= least * (1 - 1e-9))
