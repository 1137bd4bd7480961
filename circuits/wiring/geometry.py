"""A wiring laid between two shapes: what programs and engines work with."""

from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np
from numpy.typing import NDArray

from .base import Shape, Wiring


@dataclass(frozen=True)
class Geometry:
    """A wiring with the shapes it joins, *lower* (where a forward projection starts) and *upper* (where it ends).

    A forward projection and its reverse have the same geometry: the reverse runs it from upper to lower.
    """

    wiring: Wiring
    lower: Shape
    upper: Shape

    @cached_property
    def weight_shape(self) -> Shape | None:
        return self.wiring.weight_shape(self.lower, self.upper)

    @cached_property
    def fan_in(self) -> int:
        return self.wiring.fan_in(self.lower, self.upper)

    @cached_property
    def fan_out(self) -> int:
        """How many weights an input channel has: k k C_out."""
        assert self.weight_shape is not None
        return prod(self.weight_shape) // self.weight_shape[1]

    @cached_property
    def positions(self) -> int:
        """How many positions share one weight (padding or not)."""
        return self.wiring.positions(self.lower, self.upper)

    @cached_property
    def samples_per_map(self) -> int:
        """In how many independent samples one map of noise shows a weight."""
        return self.wiring.samples_per_map(self.lower, self.upper)

    @cached_property
    def tap_counts(self) -> NDArray[np.float64] | None:
        """Positions that see each tap, broadcastable to the weight's shape; None where all see all."""
        return self.wiring.tap_counts(self.lower, self.upper)

    @cached_property
    def unseen(self) -> NDArray[np.bool_] | None:
        """Taps that no position sees: they are not synapses. None where there are none."""
        counts = self.tap_counts
        return None if counts is None or counts.all() else counts == 0

    @cached_property
    def single_map_noise(self) -> float:
        """tan(angle)^2 * N of the correlation after N maps of white noise (see `Wiring.single_map_noise`)."""
        return self.wiring.single_map_noise(self.lower, self.upper)
