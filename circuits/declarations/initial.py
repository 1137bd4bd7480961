"""Initial weights: distributions from which synapses are drawn before anything is learned."""

from math import sqrt
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ..model import Declaration, Number
from ..tagged import Choice

Array = NDArray[np.float64]


class Kaiming(Declaration):
    """Mean 0, variance gain^2 / fan, fan = fan_in or fan_out; gain sqrt(2), for relu (He et al. 2015, equations 10
    and 14).
    """

    kind: ClassVar[str] = "kaiming"
    fan: Literal["in", "out"] = "in"
    gain: Number = Field(default=sqrt(2), gt=0)
    distribution: Literal["normal", "uniform"] = "normal"

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Array:
        deviation = self.gain / sqrt(fan_in if self.fan == "in" else fan_out)
        if self.distribution == "uniform":
            return rng.uniform(-sqrt(3) * deviation, sqrt(3) * deviation, shape)
        return rng.standard_normal(shape) * deviation


class Xavier(Declaration):
    """N(0, 2 gain^2 / (fan_in + fan_out)) (Glorot and Bengio 2010, equation 12)."""

    kind: ClassVar[str] = "xavier"
    gain: Number = Field(default=1.0, gt=0)

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Array:
        return rng.standard_normal(shape) * (self.gain * sqrt(2 / (fan_in + fan_out)))


class Normal(Declaration):
    """N(mean, deviation^2)."""

    kind: ClassVar[str] = "normal"
    mean: Number = 0.0
    deviation: Number = Field(gt=0)

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Array:
        return self.mean + self.deviation * rng.standard_normal(shape)


class Uniform(Declaration):
    """Uniform on [-bound, bound]."""

    kind: ClassVar[str] = "uniform"
    bound: Number = Field(gt=0)

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Array:
        return rng.uniform(-self.bound, self.bound, shape)


class Constant(Declaration):
    """The same value everywhere."""

    kind: ClassVar[str] = "constant"
    value: Number

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Array:
        return np.full(shape, self.value)


class Zeros(Declaration):
    """Zero everywhere."""

    kind: ClassVar[str] = "zeros"

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Array:
        return np.zeros(shape)


Initial = Annotated[Kaiming | Xavier | Normal | Uniform | Constant | Zeros, Choice()]
