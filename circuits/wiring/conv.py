"""Convolutional wiring: local receptive fields whose weights are shared over positions."""

from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from ..model import Whole
from .base import MAXIMAL_NEURONS, Shape, Wiring, WiringError

MAXIMAL_SIDE = 10_000  # of a window, its stride, padding and dilation


def _pair(value: object) -> object:
    """One number stands for both sides, height and width."""
    pair = (value, value) if isinstance(value, int) else value
    if not isinstance(pair, list | tuple) or len(pair) != 2:
        raise ValueError(f"must be a whole number, or [height, width] (got {value!r})")
    return pair


def _short(pair: tuple[int, int]) -> int | list[int]:
    return pair[0] if pair[0] == pair[1] else list(pair)


_written = (
    BeforeValidator(_pair),
    PlainSerializer(_short, when_used="json"),
    WithJsonSchema(
        {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2}]}
    ),
)
_Side = Annotated[Whole, Field(ge=1, le=MAXIMAL_SIDE)]
_Padding = Annotated[Whole, Field(ge=0, le=MAXIMAL_SIDE)]
Pair = Annotated[tuple[_Side, _Side], *_written]
PaddingPair = Annotated[tuple[_Padding, _Padding], *_written]


def spatial(source: Shape, kind: str) -> tuple[int, int, int]:
    """The source's (C, H, W), or a WiringError that says what was found."""
    if len(source) != 3:
        raise WiringError(f"{kind} needs a source of shape [channels, height, width] (got {list(source)})")
    return source[0], source[1], source[2]


def output_side(size: int, kernel: int, stride: int, padding: int, dilation: int = 1) -> int:
    """Positions along one side: floor((size + 2 padding - dilation (kernel - 1) - 1) / stride) + 1."""
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


class Conv(Wiring):
    """2-d convolution. `padding` defaults to "same": dilation (kernel - 1) / 2 zeros on each side, odd kernels only."""

    kind: ClassVar[str] = "conv"
    weighted: ClassVar[bool] = True

    channels: Whole | None = Field(default=None, ge=1, le=MAXIMAL_NEURONS, description="Channels of the target.")
    kernel: Pair = Field(description="Side of the kernel, or [height, width].")
    stride: Pair = (1, 1)
    padding: PaddingPair | None = Field(default=None, description="Zeros on each side; default: as for 'same'.")
    dilation: Pair = (1, 1)
    groups: Whole = Field(default=1, ge=1)

    @property
    def pads(self) -> tuple[int, int]:
        """The padding in numbers. Raises WiringError for an even kernel without a declared padding."""
        if self.padding is not None:
            return self.padding
        if any((kernel - 1) * dilation % 2 for kernel, dilation in zip(self.kernel, self.dilation, strict=True)):
            raise WiringError(f"conv needs 'padding', since its kernel {list(self.kernel)} is even")
        high, wide = ((k - 1) * d // 2 for k, d in zip(self.kernel, self.dilation, strict=True))
        return high, wide

    def target_shape(self, source: Shape, declared: Shape | None = None) -> Shape:
        channels_in, *sides = spatial(source, "conv")
        channels = self.channels or (declared[0] if declared else None)
        if channels is None:
            raise WiringError("conv needs 'channels', since the target's shape is not declared")
        for name, count in (("source's", channels_in), ("target's", channels)):
            if count % self.groups:
                raise WiringError(f"conv 'groups' must divide the {name} {count} channels (got {self.groups})")
        high, wide = (
            output_side(*of_side)
            for of_side in zip(sides, self.kernel, self.stride, self.pads, self.dilation, strict=True)
        )
        if high < 1 or wide < 1:
            raise WiringError(f"conv 'kernel' {list(self.kernel)} must fit into the padded source {list(source)}")
        return (channels, high, wide)

    def weight_shape(self, source: Shape, target: Shape) -> Shape:
        return (target[0], source[0] // self.groups, *self.kernel)

    def fan_in(self, source: Shape, target: Shape) -> int:
        return source[0] // self.groups * self.kernel[0] * self.kernel[1]

    def source_channels(self, source: Shape, target: Shape) -> NDArray[np.int64]:
        each = source[0] // self.groups
        group = np.arange(target[0]) // (target[0] // self.groups)
        return (group[:, None] * each + np.arange(each))[:, :, None, None]

    def positions(self, source: Shape, target: Shape) -> int:
        return target[1] * target[2]

    def tap_counts(self, source: Shape, target: Shape) -> NDArray[np.float64] | None:
        rows, columns = (
            _seen(*of_side)
            for of_side in zip(source[1:], target[1:], self.kernel, self.stride, self.pads, self.dilation, strict=True)
        )
        counts = np.outer(rows, columns)
        return None if (counts == self.positions(source, target)).all() else counts

    def single_map_noise(self, source: Shape, target: Shape) -> float:
        sides = zip(source[1:], target[1:], self.kernel, self.stride, self.pads, self.dilation, strict=True)
        high, wide = (_side_noise(*side) for side in sides)
        return source[0] / self.groups * high * wide


def _side_noise(size: int, positions: int, kernel: int, stride: int, padding: int, dilation: int) -> float:
    """One side's share of the noise: mean over seen taps t of sum_i n_i / c_t^2, i over the c_t positions that see t,
    n_i the taps that position i sees. It is kernel / positions without padding."""
    first, stop = _seeing(size, positions, kernel, stride, padding, dilation)
    begun, ended = (np.bincount(ends, minlength=positions + 1)[:positions] for ends in (first, stop))
    taps = np.cumsum(begun - ended)
    before = np.concatenate(([0], np.cumsum(taps)))
    counts, shared = stop - first, before[stop] - before[first]
    seen = counts > 0
    return float((shared[seen] / counts[seen].astype(np.float64) ** 2).mean())


def _seen(size: int, positions: int, kernel: int, stride: int, padding: int, dilation: int) -> NDArray[np.float64]:
    """For each tap of a 1-d kernel, at how many positions it falls inside the source. Shape (kernel,)."""
    first, stop = _seeing(size, positions, kernel, stride, padding, dilation)
    return (stop - first).astype(np.float64)


def _seeing(
    size: int, positions: int, kernel: int, stride: int, padding: int, dilation: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each tap of a 1-d kernel, the first position at which it falls inside the source, and the one after the last.

    Position p reads p stride + offset, so those that see a tap are neighbours.
    """
    offset = np.arange(kernel, dtype=np.int64) * dilation - padding
    first = np.clip(-(offset // stride), 0, positions)
    return first, np.maximum(first, np.clip((size - 1 - offset) // stride + 1, 0, positions))
