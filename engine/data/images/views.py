"""An opened image as the network sees it: a square of pixels, varied for training, the middle for evaluation."""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .decoding import Size
from .variation import Cut, Varying

Pixels = NDArray[np.uint8]
Interpolation = Literal["bilinear", "bicubic"]
SPARE = 2.0  # a JPEG is decoded smaller only if so many pixels are left for each of the square's: then none can tell
FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


class Opened(Protocol):
    """An image of known size whose pixels are to be had."""

    size: Size

    @property
    def kind(self) -> str:
        """What it is stored as."""

    def verify(self) -> None:
        """Compare what checksums there are. Raises BadImage."""

    def pixels(self, least: Size | None = None) -> Image.Image:
        """As RGB; with `least`, perhaps smaller, but with sides at least so long."""


@dataclass(frozen=True, kw_only=True)
class View:
    """Squares of `size` pixels. Every change of size is antialiased: the filter widens as the image shrinks.

    1. For evaluation the shorter side becomes `shorter`, and the middle is taken; to the last bit what torchvision's
       Resize and CenterCrop make of a PIL image.
    2. For training a box of the image is scaled to the square. A JPEG is decoded at a half, a quarter or an eighth of
       its size where the box keeps at least twice the square's side.
    """

    size: int = 224
    shorter: int = 256
    interpolation: Interpolation = "bilinear"

    def evaluated(self, image: Opened) -> Pixels:
        """(size, size, 3)."""
        width, height = image.size
        short, long = sorted((width, height))
        longer = int(self.shorter * long / short)
        wide, high = (self.shorter, longer) if width <= height else (longer, self.shorter)
        whole = image.pixels()
        if (wide, high) != whole.size:
            whole = whole.resize((wide, high), FILTERS[self.interpolation])
        left, upper = round((wide - self.size) / 2), round((high - self.size) / 2)
        return np.asarray(whole.crop((left, upper, left + self.size, upper + self.size)))

    def trained(self, image: Opened, cut: Cut, varying: Varying) -> Pixels:
        """(size, size, 3), not yet mirrored."""
        width, height = image.size
        left, upper, right, lower = varying.box(cut, image.size)
        shrink = min(1.0, SPARE * self.size / min(right - left, lower - upper))
        whole = image.pixels((int(np.ceil(width * shrink)), int(np.ceil(height * shrink))))
        across, down = whole.width / width, whole.height / height
        box = (left * across, upper * down, right * across, lower * down)
        return np.asarray(whole.resize((self.size, self.size), FILTERS[self.interpolation], box))
