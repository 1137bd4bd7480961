"""What a wiring must answer: which synapses exist between two shapes, and nothing about how they are computed."""

from abc import abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..model import Declaration

Shape = tuple[int, ...]

MAXIMAL_NEURONS = 1_000_000_000
"""In one population. More than any machine holds, and few enough that no arithmetic on shapes is slow."""
MAXIMAL_WEIGHTS = 100_000_000_000
"""In one projection."""


class WiringError(ValueError):
    """A wiring that does not fit the shapes it joins. The message says what must hold and what was found."""


class Wiring(Declaration):
    """Which neurons of a source a neuron of the target listens to. Shapes are per sample: (features,) or (C, H, W).

    Weights, where a wiring has them, are stored (out, in[, kh, kw]) for both the forward projection and its reverse.
    """

    kind: ClassVar[str]
    weighted: ClassVar[bool]

    @abstractmethod
    def target_shape(self, source: Shape, declared: Shape | None = None) -> Shape:
        """The target's shape, given the source's and, where known already, the target's declared one.

        Raises WiringError where the two cannot be joined.
        """

    def weight_shape(self, source: Shape, target: Shape) -> Shape | None:
        """The shape of the weights, or None for a wiring without any."""
        return None

    def fan_in(self, source: Shape, target: Shape) -> int:
        """How many synapses a target neuron has (per group, borders not counted off). Initialisers and mirrors ask."""
        raise TypeError(f"{self.kind} wiring has no weights")

    def source_channels(self, source: Shape, target: Shape) -> NDArray[np.int64]:
        """For each weight, the channel of the source that it comes from, broadcastable to the weights' shape."""
        raise TypeError(f"{self.kind} wiring has no weights")

    def positions(self, source: Shape, target: Shape) -> int:
        """How many target neurons share one weight: 1 for dense, H_out * W_out for conv."""
        return 1

    def samples_per_map(self, source: Shape, target: Shape) -> int:
        """In how many independent samples one map of noise shows a weight: its positions, as far as they see different
        parts of the source."""
        return self.positions(source, target)

    def tap_counts(self, source: Shape, target: Shape) -> NDArray[np.float64] | None:
        """For each weight, how many positions really see its tap (padding is not seen), broadcastable to the weight's
        shape; None where every weight has the same count, `positions`."""
        return None

    def single_map_noise(self, source: Shape, target: Shape) -> float:
        """The relative variance with which one map of white noise shows a weight, in units of the mean squared weight.

        After N maps the correlation of source and target stands at tan(angle) = sqrt(single_map_noise / N) from W. It
        is fan_in / samples_per_map where every tap is seen everywhere.
        """
        return self.fan_in(source, target) / self.samples_per_map(source, target)
