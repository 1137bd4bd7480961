"""Flatten: the same neurons in one row, in row-major order."""

from math import prod
from typing import ClassVar

from .base import Shape, Wiring


class Flatten(Wiring):
    """(C, H, W) to (C * H * W,). A change of names, not of neurons."""

    kind: ClassVar[str] = "flatten"
    weighted: ClassVar[bool] = False

    def target_shape(self, source: Shape, declared: Shape | None = None) -> Shape:
        return (prod(source),)
