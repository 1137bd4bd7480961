"""Pooling: the maximum or the average of a window, channel by channel. A constant wiring: nothing is learned."""

from typing import Annotated, ClassVar, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from ..model import Truth
from .base import Shape, Wiring, WiringError
from .conv import PaddingPair, Pair, output_side, spatial

Spans = tuple[tuple[int, int], ...]
"""(start, stop) of each window along one side of a map."""


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
    """Windows of one `size`, the whole map with `size: global`, or, with `to`, windows that share a map out.

    Averages count padding zeros; maxima do not see them. `ceil` adds the windows that hang over the far border, as far
    as they start inside the map or the padding before it. With `to: [H, W]` window i of n along a side of s neurons
    runs from floor(i s / n) up to ceil((i + 1) s / n): neighbours may overlap, and n may exceed s.
    """

    kind: ClassVar[str] = "pool"
    weighted: ClassVar[bool] = False

    over: Literal["average", "max"] = Field(alias="kind", description="What a window is reduced to.")
    size: Size | None = Field(default=None, description="Side of the window, [height, width], or 'global'.")
    to: Pair | None = Field(default=None, description="In place of size, for averages: the target's [height, width].")
    stride: Pair | None = Field(default=None, description="Default: the size.")
    padding: PaddingPair = (0, 0)
    ceil: Truth = Field(default=False, description="For maxima: windows may hang over the far border.")

    @model_validator(mode="after")
    def _one_way_of_saying_it(self) -> "Pool":
        if (self.size is None) == (self.to is None):
            raise ValueError(f"a pool must give exactly one of size, to (got {'both' if self.to else 'neither'})")
        if self.to is not None and self.over != "average":
            raise ValueError(f"a pool with 'to' must be of kind average (got {self.over}): give 'size' and 'stride'")
        if self.to is not None and (self.stride is not None or self.padding != (0, 0)):
            raise ValueError("a pool with 'to' takes no 'stride' and no 'padding': its windows share the map out")
        if self.ceil and self.over != "max":
            raise ValueError(
                f"a pool with 'ceil' must be of kind max (got {self.over}): what a window that hangs over "
                "would divide by is not settled. Give 'padding', or 'to'"
            )
        return self

    def window(self, source: Shape) -> tuple[tuple[int, int], tuple[int, int]]:
        """(size, stride) in numbers for this source, where all windows are alike: without `to`."""
        _, high, wide = spatial(source, "pool")
        assert self.size is not None, "windows that share a map out differ: see `spans`"
        size = (high, wide) if self.size == "global" else self.size
        return size, self.stride or size

    def spans(self, source: Shape) -> tuple[Spans, Spans]:
        """The windows along the height and along the width, where they share the map out: with `to`."""
        _, high, wide = spatial(source, "pool")
        assert self.to is not None, "windows of one size: see `window`"
        return _shared_out(high, self.to[0]), _shared_out(wide, self.to[1])

    def neurons_read(self, source: Shape, target: Shape) -> int:
        """How many neurons of one channel its windows read, all together and each as often as it is read. What they
        see of padding, and beyond the far border, counts."""
        if self.to is not None:
            high, wide = (sum(stop - start for start, stop in along) for along in self.spans(source))
            return high * wide
        (high, wide), _ = self.window(source)
        return high * target[1] * wide * target[2]

    def target_shape(self, source: Shape, declared: Shape | None = None) -> Shape:
        channels, *sides = spatial(source, "pool")
        if self.to is not None:
            return (channels, *self.to)
        size, stride = self.window(source)
        if any(2 * pad > side for pad, side in zip(self.padding, size, strict=True)):
            raise WiringError(
                f"pool 'padding' must be at most half of the size {list(size)} (got {list(self.padding)})"
            )
        side = _side_with_overhang if self.ceil else output_side
        high, wide = (side(*along) for along in zip(sides, size, stride, self.padding, strict=True))
        if high < 1 or wide < 1:
            raise WiringError(f"pool 'size' {list(size)} must fit into the padded source {list(source)}")
        return (channels, high, wide)


def _side_with_overhang(size: int, window: int, stride: int, padding: int) -> int:
    """Positions along one side with `ceil`: as `output_side` rounded up, less a last window that would start behind
    the map, in the padding after it."""
    positions = output_side(size + stride - 1, window, stride, padding)
    return positions - 1 if (positions - 1) * stride >= size + padding else positions


def _shared_out(size: int, windows: int) -> Spans:
    return tuple((i * size // windows, -(-(i + 1) * size // windows)) for i in range(windows))
