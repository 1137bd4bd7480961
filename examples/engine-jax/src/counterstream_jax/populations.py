"""What populations do with their currents: biases, normalization, transfer, gate, loss and the means over a batch."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp

from counterstream.engine.compiler.program import Value

Array = jax.Array


def _spread(v: Array, x: Array) -> Array:
    """One number a channel, (channels,) or, batched, (n, channels), shaped to meet x[n, c, i]."""
    return v.reshape(*v.shape, *(1,) * (x.ndim - 2))


def _shared(x: Array) -> tuple[int, ...]:
    """The axes of samples and positions, over which a channel's statistics are taken."""
    return (0, *range(2, x.ndim))


def offset(value: Value, x: Array, v: Array) -> Array:
    return x + _spread(v, x)


# ---- batch normalization


def normalize(value: Value, soma: Array, gain: Array, bias: Array, mean: Array, variance: Array) -> tuple[Array, ...]:
    axes, move = _shared(soma), float(value["momentum"])
    count = soma.size // soma.shape[1]
    level, spread = jnp.mean(soma, axes), jnp.var(soma, axes)
    deviation = jax.lax.rsqrt(spread + float(value["epsilon"]))
    xhat = standardize(value, soma, level, deviation)
    return (
        _spread(gain, soma) * xhat + _spread(bias, soma),
        level,
        deviation,
        mean + move * (level - mean),
        variance + move * (spread * (count / (count - 1)) - variance),
    )


def normalize_fixed(value: Value, soma: Array, gain: Array, bias: Array, mean: Array, variance: Array) -> Array:
    xhat = standardize(value, soma, mean, jax.lax.rsqrt(variance + float(value["epsilon"])))
    return _spread(gain, soma) * xhat + _spread(bias, soma)


def standardize(value: Value, soma: Array, mean: Array, deviation: Array) -> Array:
    return (soma - _spread(mean, soma)) * _spread(deviation, soma)


def normalize_back(
    value: Value, gated: Array, soma: Array, gain: Array, mean: Array, deviation: Array
) -> tuple[Array, Array, Array]:
    axes, positions = _shared(soma), soma.size // (soma.shape[0] * soma.shape[1])
    xhat = standardize(value, soma, mean, deviation)
    along, level = jnp.mean(gated * xhat, axes), jnp.mean(gated, axes)
    error = gated - _spread(level, soma) - xhat * _spread(along, soma)
    return _spread(gain * deviation, soma) * error, along * positions, level * positions


# ---- transfer and gate

TRANSFERS: Mapping[str, Callable[[Array], Array]] = MappingProxyType(
    {
        "linear": lambda x: x,
        "relu": jax.nn.relu,
        "relu6": jax.nn.relu6,
        "tanh": jnp.tanh,
        "sigmoid": jax.nn.sigmoid,
        "gelu": lambda x: x * jax.scipy.stats.norm.cdf(x),
        "silu": jax.nn.silu,
        "hardswish": jax.nn.hard_swish,
        "softplus": jax.nn.softplus,
        "softmax": lambda x: jax.nn.softmax(x, axis=1),
    }
)

# phi'(x), with y = phi(x) at hand
DERIVATIVES: Mapping[str, Callable[[Array, Array], Array]] = MappingProxyType(
    {
        "linear": lambda x, y: jnp.ones_like(x),
        "relu": lambda x, y: (x > 0).astype(x.dtype),
        "relu6": lambda x, y: ((x > 0) & (x < 6)).astype(x.dtype),
        "tanh": lambda x, y: 1 - y**2,
        "sigmoid": lambda x, y: y * (1 - y),
        "gelu": lambda x, y: jax.scipy.stats.norm.cdf(x) + x * jax.scipy.stats.norm.pdf(x),
        "silu": lambda x, y: jax.nn.sigmoid(x) + y * (1 - jax.nn.sigmoid(x)),
        "hardswish": lambda x, y: jnp.where(jnp.abs(x) < 3, x / 3 + 0.5, (x >= 3).astype(x.dtype)),
        "softplus": lambda x, y: jax.nn.sigmoid(x),
    }
)


def transfer(value: Value, x: Array) -> Array:
    return TRANSFERS[value["function"]](x)


def gate(value: Value, error: Array, x: Array, rate: Array) -> Array:
    return DERIVATIVES[value["function"]](x, rate) * error


# ---- outputs

ANSWERS: Mapping[str, Callable[[Array], Array]] = MappingProxyType(
    {"cross_entropy": TRANSFERS["softmax"], "binary_cross_entropy": jax.nn.sigmoid, "squared": lambda x: x}
)

# of outputs x and codes t, before the sum over neurons and the mean over samples
LOSSES: Mapping[str, Callable[[Array, Array], Array]] = MappingProxyType(
    {
        "cross_entropy": lambda x, t: -t * jax.nn.log_softmax(x, axis=1),
        "binary_cross_entropy": lambda x, t: jax.nn.softplus(x) - t * x,
        "squared": lambda x, t: (x - t) ** 2 / 2,
    }
)


def _code(x: Array, label: Array) -> Array:
    """The label as activity of the output: itself, or, where it is a class, a row with a one."""
    return label if label.ndim == x.ndim else jax.nn.one_hot(label, x.shape[1], dtype=x.dtype)


def error(value: Value, x: Array, label: Array) -> Array:
    return ANSWERS[value["loss"]](x) - _code(x, label)


def loss(value: Value, x: Array, label: Array) -> Array:
    return jnp.sum(LOSSES[value["loss"]](x, _code(x, label))) / len(x)


def accuracy(value: Value, x: Array, label: Array) -> Array:
    truth = label if label.ndim < x.ndim else jnp.argmax(label, axis=1)
    return jnp.mean(jnp.argmax(x, axis=1) == truth, dtype=x.dtype)


def batch_mean(value: Value, x: Array) -> Array:
    mean = jnp.mean(x, axis=0)
    positions = tuple(range(1, mean.ndim))
    reduce = {"keep": lambda m, axes: m, "sum": jnp.sum, "mean": jnp.mean}[value["positions"]]
    return reduce(mean, positions)


OPERATIONS: Mapping[str, Callable[..., Any]] = MappingProxyType(
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
