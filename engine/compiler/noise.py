"""Noise that a program reads: what it is called, how much of it there is, and how it is distributed."""

from dataclasses import dataclass
from typing import Literal

from ...circuits.wiring import Shape


@dataclass(frozen=True, kw_only=True)
class NoiseInput:
    """Noise that the caller draws for one step: `maps` samples of `shape`, of unit variance, times `scale`.

    `maps` is None where there are as many samples as the step's batch has.
    """

    name: str
    shape: Shape
    maps: int | None = None
    distribution: Literal["normal", "uniform", "rademacher"]
    scale: float = 1.0
