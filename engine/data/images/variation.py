"""What is random about a training image: a function of (seed, epoch, sample) alone."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.random import Generator, Philox
from numpy.typing import NDArray

from .decoding import Size

STREAM = 0x1A6E  # keeps these random numbers apart from other uses of the same seed
TRIES = 10

Box = tuple[float, float, float, float]
"""Left, upper, right, lower; in pixels of an image, edges between them."""


class Cut(NamedTuple):
    """How one image is cut: uniform random numbers, a box once its size is known; and whether to mirror it."""

    areas: NDArray[np.float64]
    ratios: NDArray[np.float64]
    place: tuple[float, float]
    flip: bool


class Variation(NamedTuple):
    """Of one sample in one epoch. With mixup, `share` is its own; the rest is of sample `partner`, cut as `other`."""

    cut: Cut
    share: float = 1.0
    partner: int = -1
    other: Cut | None = None


@dataclass(frozen=True, kw_only=True)
class Varying:
    """How training images vary.

    A crop of random area (uniform in `scale`, in shares of the image) and ratio of width to height (log-uniform in
    `ratio`), the first of ten tries that fits, else the largest centred one of an allowed ratio (Szegedy et al. 2015);
    mirrored with probability `flip`. With `mixup` a > 0, lambda x + (1 - lambda) x' where lambda ~ Beta(a, a) for each
    sample and x' is any sample of the training split, cut anew (Zhang et al. 2018).
    """

    scale: tuple[float, float] = (0.08, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)
    flip: float = 0.5
    mixup: float = 0.0

    def of(self, seed: int, epoch: int, sample: int, samples: int) -> Variation:
        """The variation of one sample, of `samples` that there are."""
        random = generator(seed, epoch, sample)
        cut = self._cut(random)
        if not self.mixup:
            return Variation(cut)
        other = self._cut(random)
        partner = int(random.integers(samples))
        return Variation(cut, float(random.beta(self.mixup, self.mixup)), partner, other)

    def _cut(self, random: Generator) -> Cut:
        numbers = random.random(2 * TRIES + 3)
        return Cut(numbers[:TRIES], numbers[TRIES:-3], (numbers[-3], numbers[-2]), bool(numbers[-1] < self.flip))

    def box(self, cut: Cut, size: Size) -> Box:
        """The box of a cut in an image of this size; whole pixels, at least one."""
        width, height = size
        low, high = np.log(self.ratio)
        areas = (self.scale[0] + cut.areas * (self.scale[1] - self.scale[0])) * (width * height)
        ratios = np.exp(low + cut.ratios * (high - low))
        widths, heights = np.rint(np.sqrt(areas * ratios)), np.rint(np.sqrt(areas / ratios))
        fits = np.flatnonzero((widths >= 1) & (widths <= width) & (heights >= 1) & (heights <= height))
        if not len(fits):
            return _centred(size, self.ratio)
        wide, high = int(widths[fits[0]]), int(heights[fits[0]])
        left, upper = (
            int(share * (room + 1)) for share, room in zip(cut.place, (width - wide, height - high), strict=True)
        )
        return left, upper, left + wide, upper + high


def generator(seed: int, epoch: int, sample: int) -> Generator:
    """Random numbers by counter (Philox, Salmon et al. 2011): key (seed, STREAM), counter (epoch, sample)."""
    return Generator(
        Philox(key=np.array([seed, STREAM], np.uint64), counter=np.array([0, 0, epoch, sample], np.uint64))
    )


def _centred(size: Size, ratio: tuple[float, float]) -> Box:
    """The largest centred box of an allowed ratio."""
    width, height = size
    wide = min(width, max(1, round(height * ratio[1])))
    high = min(height, max(1, round(width / ratio[0])))
    left, upper = (width - wide) // 2, (height - high) // 2
    return left, upper, left + wide, upper + high
