"""Initial weights: distributions from which synapses are drawn before anything is learned."""

from abc import abstractmethod
from dataclasses import dataclass
from math import hypot, sqrt
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ..model import Declaration, Number
from ..tagged import Choice

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Spread:
    """What independent numbers are drawn from: N(mean, width^2), or uniformly from [mean - width, mean + width]."""

    mean: float = 0.0
    width: float = 0.0
    distribution: Literal["normal", "uniform"] = "normal"

    @property
    def deviation(self) -> float:
        return self.width / sqrt(3) if self.distribution == "uniform" else self.width

    @property
    def rms(self) -> float:
        """The root of the mean square."""
        return hypot(self.mean, self.deviation)

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        if self.width == 0:
            return np.full(shape, self.mean)
        if self.distribution == "uniform":
            return self.mean + rng.uniform(-self.width, self.width, shape)
        return self.mean + self.width * rng.standard_normal(shape)


class Distribution(Declaration):
    """Where weights are drawn from. `spread` says it for a synapse of so many inputs and outputs."""

    @abstractmethod
    def spread(self, fan_in: int, fan_out: int) -> Spread:
        """The distribution of one weight."""

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Array:
        return self.spread(fan_in, fan_out).draw(rng, shape)


class Kaiming(Distribution):
    """Mean 0, variance gain^2 / fan, fan = fan_in or fan_out; gain sqrt(2), for relu (He et al. 2015, equations 10
    and 14).
    """

    kind: ClassVar[str] = "kaiming"
    fan: Literal["in", "out"] = "in"
    gain: Number = Field(default=sqrt(2), gt=0)
    distribution: Literal["normal", "uniform"] = "normal"

    def spread(self, fan_in: int, fan_out: int) -> Spread:
        deviation = self.gain / sqrt(fan_in if self.fan == "in" else fan_out)
        width = sqrt(3) * deviation if self.distribution == "uniform" else deviation
        return Spread(width=width, distribution=self.distribution)


class Xavier(Distribution):
    """N(0, 2 gain^2 / (fan_in + fan_out)) (Glorot and Bengio 2010, equation 12)."""

    kind: ClassVar[str] = "xavier"
    gain: Number = Field(default=1.0, gt=0)

    def spread(self, fan_in: int, fan_out: int) -> Spread:
        return Spread(width=self.gain * sqrt(2 / (fan_in + fan_out)))


class Normal(Distribution):
    """N(mean, deviation^2)."""

    kind: ClassVar[str] = "normal"
    mean: Number = 0.0
    deviation: Number = Field(gt=0)

    def spread(self, fan_in: int, fan_out: int) -> Spread:
        return Spread(self.mean, self.deviation)


class Uniform(Distribution):
    """Uniform on [-bound, bound]."""

    kind: ClassVar[str] = "uniform"
    bound: Number = Field(gt=0)

    def spread(self, fan_in: int, fan_out: int) -> Spread:
        return Spread(width=self.bound, distribution="uniform")


class Constant(Distribution):
    """The same value everywhere."""

    kind: ClassVar[str] = "constant"
    value: Number

    def spread(self, fan_in: int, fan_out: int) -> Spread:
        return Spread(self.value)


class Zeros(Distribution):
    """Zero everywhere."""

    kind: ClassVar[str] = "zeros"

    def spread(self, fan_in: int, fan_out: int) -> Spread:
        return Spread()


Initial = Annotated[Kaiming | Xavier | Normal | Uniform | Constant | Zeros, Choice()]
