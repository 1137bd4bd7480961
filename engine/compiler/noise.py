"""Noise that a program reads: what it is called, how much of it there is, and how it is distributed."""

from dataclasses import dataclass
from typing import Literal

from ...circuits.wiring import Shape


@dataclass(frozen=True, kw_only=True)
class NoiseInput:
    """Noise that the caller draws for one step: mean + scale * x, x of unit variance, `maps` samples of `shape`.

    `maps` is None where there are as many samples as the step's batch has. Noise that is not `batched` has no samples:
    it is one array of `shape`.
    """

    name: str
    shape: Shape
    batched: bool = True
    maps: int | None = None
    distribution: Literal["normal", "uniform", "rademacher"]
    scale: float = 1.0
    mean: float = 0.0
