"""Dense wiring: every neuron of the source to every neuron (or channel) of the target."""

from math import prod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ..model import Truth, Whole
from .base import MAXIMAL_NEURONS, Shape, Wiring, WiringError


class Dense(Wiring):
    """All-to-all. A source of shape (C, H, W) is read in row-major order.

    With `shared`, onto a target (C, H, W), one weight per channel serves all positions: the target's channel c receives
    sum_i w[c, i] pre[i] at every position. This is how direct feedback reaches a convolutional population by default.
    """

    kind: ClassVar[str] = "dense"
    weighted: ClassVar[bool] = True

    size: Whole | None = Field(
        default=None, ge=1, le=MAXIMAL_NEURONS, description="Neurons of the target; may be left out if it has a shape."
    )
    shared: Truth = Field(default=False, description="One weight per target channel, shared over its positions.")

    def target_shape(self, source: Shape, declared: Shape | None = None) -> Shape:
        if declared is None:
            if self.size is None:
                raise WiringError("dense needs 'size', since the target's shape is not declared")
            if self.shared:
                raise WiringError("a dense wiring that is shared over positions needs a target of declared shape")
            return (self.size,)
        outputs = declared[0] if self.shared else prod(declared)
        if self.size is not None and self.size != outputs:
            raise WiringError(f"dense 'size' must be the target's {outputs} (got {self.size})")
        return declared

    def weight_shape(self, source: Shape, target: Shape) -> Shape:
        return (target[0] if self.shared else prod(target), prod(source))

    def fan_in(self, source: Shape, target: Shape) -> int:
        return prod(source)

    def source_channels(self, source: Shape, target: Shape) -> NDArray[np.int64]:
        return np.arange(prod(source)) // prod(source[1:])

    def positions(self, source: Shape, target: Shape) -> int:
        return prod(target[1:]) if self.shared else 1

    def samples_per_map(self, source: Shape, target: Shape) -> int:
        """1: where a weight is shared, all its positions see the same source, so they repeat one sample."""
        return 1
