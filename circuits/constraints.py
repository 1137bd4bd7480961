"""What weights may be: the bounds of a projection, and Dale's law, by which all synapses of a neuron have one sign."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .declarations import Mixture, Population, Projection
from .wiring import Geometry, Shape

Array = NDArray[np.float64]
SLACK = 1e-6
"""Relative: a bound such as 0.1 is another number in float32."""


@dataclass(frozen=True, kw_only=True)
class Constraint:
    """lower <= w <= upper, where they are given; with `excitatory`, which counts channels, also w >= 0 for synapses
    from the first so many channels of the source and w <= 0 for those from the others.
    """

    lower: float | None = None
    upper: float | None = None
    excitatory: int | None = None

    def __str__(self) -> str:
        if self.lower is not None and self.upper is not None:
            bounds = f"{self.lower:g} <= w <= {self.upper:g}"
        else:
            bounds = f"w >= {self.lower:g}" if self.lower is not None else ""
            bounds = f"w <= {self.upper:g}" if self.upper is not None else bounds
        signed = "" if self.excitatory is None else f"w >= 0 from {self.excitatory} channels, w <= 0 from the others"
        return ", ".join(part for part in (bounds, signed) if part)

    @property
    def empty(self) -> bool:
        """True where some synapse has no room to move in."""
        low, high = (-np.inf if self.lower is None else self.lower), (np.inf if self.upper is None else self.upper)
        return low >= high or (self.excitatory is not None and not low < 0 < high)

    def signs(self, geometry: Geometry) -> Array:
        """1 or -1 for each weight, by the channel of the source that it comes from."""
        assert self.excitatory is not None
        return np.where(source_channels(geometry) < self.excitatory, 1.0, -1.0)

    def admit(self, weights: Array, geometry: Geometry) -> Array:
        """Weights mirrored at the bounds until they lie between them; those that do stay as they are."""
        low, high = self._limits(geometry)
        inside = (low <= weights) & (weights <= high)
        return np.where(inside, weights, np.clip(_mirrored(weights, low, high), low, high))

    def violation(self, weights: Array, geometry: Geometry) -> float | None:
        """The first weight that lies outside, beyond what rounding does; None where all are inside."""
        low, high = self._limits(geometry)
        wrong = weights[(weights < low - SLACK * np.abs(low)) | (weights > high + SLACK * np.abs(high))]
        return float(wrong[0]) if wrong.size else None

    def _limits(self, geometry: Geometry) -> tuple[Array, Array]:
        low = np.asarray(-np.inf if self.lower is None else self.lower)
        high = np.asarray(np.inf if self.upper is None else self.upper)
        if self.excitatory is None:
            return low, high
        signs = self.signs(geometry)
        return np.where(signs > 0, np.maximum(low, 0), low), np.where(signs < 0, np.minimum(high, 0), high)


def _mirrored(weights: Array, low: Array, high: Array) -> Array:
    """Weights mirrored at the one bound, or to and fro between two."""
    with np.errstate(invalid="ignore"):  # where there is no bound at all
        once = np.where(np.isinf(low), high - np.abs(high - weights), low + np.abs(weights - low))
    two = np.isfinite(low) & np.isfinite(high)
    start, span = np.where(two, low, 0.0), np.where(two, high - low, 1.0)
    way = np.mod(weights - start, 2 * span)
    return np.where(two, start + np.minimum(way, 2 * span - way), once)


def constraint(projection: Projection, source: Population, shape: Shape) -> Constraint | None:
    """What the weights of a projection may be, None where that is anything; `shape` is the source's."""
    if projection.bounds is None and source.sign is None:
        return None
    lower, upper = projection.bounds or (None, None)
    if source.sign == "excitatory":
        lower = max(lower or 0.0, 0.0)
    elif source.sign == "inhibitory":
        upper = min(upper or 0.0, 0.0)
    mixed = source.sign.count(shape[0]) if isinstance(source.sign, Mixture) else None
    return Constraint(lower=lower, upper=upper, excitatory=mixed)


def source_channels(geometry: Geometry) -> NDArray[np.int64]:
    """For each weight of a forward projection, the channel of the source that it comes from."""
    channels = geometry.wiring.source_channels(geometry.lower, geometry.upper)
    return np.broadcast_to(channels, geometry.weight_shape or ())


def complaints(projection: Projection, source: Population, geometry: Geometry) -> Iterator[str]:
    """Why a projection cannot keep the bounds that are declared for it, or the sign of its source."""
    label, tie = projection.label, projection.tie
    if not geometry.wiring.weighted:
        if projection.bounds is not None:
            yield f"'{label}' has no weights to bound ({geometry.wiring.kind})"
        return
    held = constraint(projection, source, geometry.lower)
    if held is None:
        return
    if tie is not None and tie.kind != "same_as":
        what = "bounds" if projection.bounds is not None else f"the sign of '{projection.source}'"
        yield f"'{label}' has no weights of its own that could keep {what}: {tie.kind} {tie.owner}"
    elif held.empty:
        yield f"'{label}' must leave its weights room, and each channel of '{projection.source}' its sign (got {held})"
    else:
        spread = projection.initial.spread(geometry.fan_in, geometry.fan_out)
        within = Constraint(lower=held.lower, upper=held.upper)
        if spread.width == 0 and within.violation(np.asarray([spread.mean]), geometry) is not None:
            yield f"'{label}' must start where its weights may be, {held} (got {spread.mean:g})"
