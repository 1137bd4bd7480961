"""What populations do with their currents: biases, normalization, transfer, gate, loss and the means over a batch."""

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...compiler.program import Value
from .functions import erf, sigmoid, softplus

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]


def over_positions(v: Floats, x: Floats) -> Floats:
    """One number a channel, shaped to meet x[n, c, i]; v is (channels,) or, batched, (n, channels)."""
    return v.reshape(*v.shape, *(1,) * (x.ndim - 2))


def all_but_channels(x: Floats) -> tuple[int, ...]:
    """The axes of samples and positions."""
    return (0, *range(2, x.ndim))


def offset(value: Value, x: Floats, v: Floats) -> Floats:
    return x + over_positions(v, x)


# ---- batch normalization


def normalize(
    value: Value, soma: Floats, gain: Floats, bias: Floats, running_mean: Floats, running_variance: Floats
) -> tuple[Floats, ...]:
    axes = all_but_channels(soma)
    mean, variance = soma.mean(axis=axes), soma.var(axis=axes)
    count = soma.size // soma.shape[1]
    deviation = 1 / np.sqrt(variance + value["epsilon"])
    unbiased = variance * count / (count - 1)
    keep, move = 1 - value["momentum"], value["momentum"]
    xhat = standardize(value, soma, mean, deviation)
    return (
        over_positions(gain, soma) * xhat + over_positions(bias, soma),
        mean,
        deviation,
        keep * running_mean + move * mean,
        keep * running_variance + move * unbiased,
    )


def normalize_fixed(value: Value, soma: Floats, gain: Floats, bias: Floats, mean: Floats, variance: Floats) -> Floats:
    xhat = standardize(value, soma, mean, 1 / np.sqrt(variance + value["epsilon"]))
    return over_positions(gain, soma) * xhat + over_positions(bias, soma)


def standardize(value: Value, soma: Floats, mean: Floats, deviation: Floats) -> Floats:
    return (soma - over_positions(mean, soma)) * over_positions(deviation, soma)


def normalize_back(
    value: Value, gated: Floats, soma: Floats, gain: Floats, mean: Floats, deviation: Floats
) -> tuple[Floats, Floats, Floats]:
    """Mean and variance depend on the soma too: the error loses its mean and its part along xhat."""
    axes = all_but_channels(soma)
    xhat = standardize(value, soma, mean, deviation)
    along, level = (gated * xhat).mean(axis=axes), gated.mean(axis=axes)
    error = gated - over_positions(level, soma) - xhat * over_positions(along, soma)
    positions = soma.size // soma.shape[1] / len(soma)
    return over_positions(gain * deviation, soma) * error, along * positions, level * positions


# ---- transfer and gate


def softmax(x: Floats) -> Floats:
    raised = np.exp(x - x.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def log_softmax(x: Floats) -> Floats:
    below = x - x.max(axis=1, keepdims=True)
    return below - np.log(np.exp(below).sum(axis=1, keepdims=True))


def normal_cdf(x: Floats) -> Floats:
    return (1 + erf(x / np.sqrt(2))) / 2


def normal_density(x: Floats) -> Floats:
    return np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)


def relu6(x: Floats) -> Floats:
    return np.minimum(np.maximum(x, 0), 6)


TRANSFERS: dict[str, Callable[[Floats], Floats]] = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "relu6": relu6,
    "tanh": np.tanh,
    "sigmoid": sigmoid,
    "gelu": lambda x: x * normal_cdf(x),
    "silu": lambda x: x * sigmoid(x),
    "hardswish": lambda x: x * relu6(x + 3) / 6,
    "softplus": softplus,
    "softmax": softmax,
}

# phi'(x), with y = phi(x) at hand
DERIVATIVES: dict[str, Callable[[Floats, Floats], Floats]] = {
    "linear": lambda x, y: np.ones_like(x),
    "relu": lambda x, y: (x > 0).astype(x.dtype),
    "relu6": lambda x, y: ((x > 0) & (x < 6)).astype(x.dtype),
    "tanh": lambda x, y: 1 - y**2,
    "sigmoid": lambda x, y: y * (1 - y),
    "gelu": lambda x, y: normal_cdf(x) + x * normal_density(x),
    "silu": lambda x, y: sigmoid(x) + y * (1 - sigmoid(x)),
    "hardswish": lambda x, y: np.where(np.abs(x) < 3, x / 3 + 0.5, x >= 3).astype(x.dtype),
    "softplus": lambda x, y: sigmoid(x),
}


def transfer(value: Value, x: Floats) -> Floats:
    return TRANSFERS[value["function"]](x)


def gate(value: Value, error: Floats, x: Floats, rate: Floats) -> Floats:
    return DERIVATIVES[value["function"]](x, rate) * error


# ---- outputs


def code(x: Floats, label: NDArray[Any]) -> Floats:
    """The label as activity of the output: itself, or, where it is a class (one integer a sample), a row with a one."""
    return label if label.ndim == x.ndim else (label[:, None] == np.arange(x.shape[1])).astype(x.dtype)


ANSWERS: dict[str, Callable[[Floats], Floats]] = {
    "cross_entropy": softmax,
    "binary_cross_entropy": sigmoid,
    "squared": lambda x: x,
}

# for one output x and one code t each, before the sum over neurons and the mean over samples
LOSSES: dict[str, Callable[[Floats, Floats], Floats]] = {
    "cross_entropy": lambda x, t: -t * log_softmax(x),
    "binary_cross_entropy": lambda x, t: softplus(x) - t * x,
    "squared": lambda x, t: (x - t) ** 2 / 2,
}


def error(value: Value, x: Floats, label: NDArray[Any]) -> Floats:
    return ANSWERS[value["loss"]](x) - code(x, label)


def loss(value: Value, x: Floats, label: NDArray[Any]) -> Floats:
    return np.asarray(LOSSES[value["loss"]](x, code(x, label)).sum() / len(x))


def accuracy(value: Value, x: Floats, label: NDArray[Any]) -> Floats:
    truth = label if label.ndim < x.ndim else label.argmax(axis=1)
    return np.asarray((x.argmax(axis=1) == truth).mean(), x.dtype)


def batch_mean(value: Value, x: Floats) -> Floats:
    mean = x.mean(axis=0)
    positions = tuple(range(1, mean.ndim))
    match value["positions"]:
        case "keep":
            return mean
        case "sum":
            return mean.sum(axis=positions)
        case _:
            return mean.mean(axis=positions)


OPERATIONS: MappingProxyType[str, Callable[..., Any]] = MappingProxyType(
    {
        "offset": offset,
        "normalize": normalize,
        "normalize_fixed": normalize_fixed,
        "standardize": standardize,
        "normalize_back": normalize_back,
        "transfer": transfer,
        "gate": gate,
        "error": error,
        "loss": loss,
        "accuracy": accuracy,
        "batch_mean": batch_mean,
    }
)
