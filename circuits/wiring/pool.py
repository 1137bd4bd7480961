"""Pooling: the maximum or the average of a window, channel by channel. A constant wiring: nothing is learned."""

from typing import Annotated, ClassVar, Literal

from pydantic import Discriminator, Field, Tag

from .base import Shape, Wiring, WiringError
from .conv import PaddingPair, Pair, output_side, spatial


def _form(value: object) -> str | None:
    if isinstance(value, str):
        return "#word" if value == "global" else None
    return "#pair"


Size = Annotated[
    Annotated[Pair, Tag("#pair")] | Annotated[Literal["global"], Tag("#word")],
    Discriminator(
        _form, custom_error_type="form", custom_error_message="must be a whole number, [height, width], or global"
    ),
]


class Pool(Wiring):
    """Windows of `size`, or the whole map with `size: global`. Averages count padding zeros; maxima do not see them."""

    kind: ClassVar[str] = "pool"
    weighted: ClassVar[bool] = False

    over: Literal["average", "max"] = Field(alias="kind", description="What a window is reduced to.")
    size: Size = Field(description="Side of the window, [height, width], or 'global'.")
    stride: Pair | None = Field(default=None, description="Default: the size.")
    padding: PaddingPair = (0, 0)

    def window(self, source: Shape) -> tuple[tuple[int, int], tuple[int, int]]:
        """(size, stride) in numbers for this source."""
        _, high, wide = spatial(source, "pool")
        size = (high, wide) if self.size == "global" else self.size
        return size, self.stride or size

    def target_shape(self, source: Shape, declared: Shape | None = None) -> Shape:
        channels, *sides = spatial(source, "pool")
        size, stride = self.window(source)
        if any(2 * pad > side for pad, side in zip(self.padding, size, strict=True)):
            raise WiringError(
                f"pool 'padding' must be at most half of the size {list(size)} (got {list(self.padding)})"
            )
        high, wide = (output_side(*side) for side in zip(sides, size, stride, self.padding, strict=True))
        if high < 1 or wide < 1:
            raise WiringError(f"pool 'size' {list(size)} must fit into the padded source {list(source)}")
        return (channels, high, wide)
