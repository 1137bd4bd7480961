"""Scalar functions, safe for numbers of any size, and the elementwise operations."""

from collections.abc import Callable
from math import erf as scalar_erf
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]


def sigmoid(x: Floats) -> Floats:
    falling = np.exp(-np.abs(x))  # never above 1
    return np.where(x >= 0, 1, falling) / (1 + falling)


def softplus(x: Floats) -> Floats:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def erf(x: Floats) -> Floats:
    return np.vectorize(scalar_erf, otypes=[x.dtype])(x)


def norm(x: Floats) -> Floats:
    return np.asarray(np.sqrt(np.sum(np.square(x, dtype=np.float64))), x.dtype)


def angle(a: Floats, b: Floats) -> Floats:
    length_a, length_b = norm(a.astype(np.float64)), norm(b.astype(np.float64))
    if length_a == 0 or length_b == 0:
        return np.asarray(np.nan, a.dtype)
    u, v = a / length_a, b / length_b
    return np.asarray(np.degrees(2 * np.arctan2(norm(u - v), norm(u + v))), a.dtype)


FUNCTIONS: MappingProxyType[str, Callable[[Floats], Floats]] = MappingProxyType(
    {
        "relu": lambda x: np.maximum(x, 0),
        "sign": np.sign,
        "abs": np.abs,
        "exp": np.exp,
        "tanh": np.tanh,
        "sigmoid": sigmoid,
        "step": lambda x: (x > 0).astype(x.dtype),
        "sqrt": np.sqrt,
    }
)

OPERATIONS: MappingProxyType[str, Callable[..., Floats]] = MappingProxyType(
    {
        "norm": lambda value, x: norm(x),
        "angle": lambda value, a, b: angle(a, b),
        "add": lambda value, a, b: a + b,
        "multiply": lambda value, a, b: a * b,
        "divide": lambda value, a, b: a / b,
        "scale": lambda value, a: value["factor"] * a,
        "shift": lambda value, a: a + value["amount"],
        "power": lambda value, a: a ** value["exponent"],
        "function": lambda value, a: FUNCTIONS[value["name"]](a),
    }
)
