"""The elementwise operations, and the lengths and angles of whole values."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import jax
import jax.numpy as jnp

from counterstream.engine.compiler.program import Value

FUNCTIONS: Mapping[str, Callable[[jax.Array], jax.Array]] = MappingProxyType(
    {
        "relu": jax.nn.relu,
        "sign": jnp.sign,
        "abs": jnp.abs,
        "exp": jnp.exp,
        "tanh": jnp.tanh,
        "sigmoid": jax.nn.sigmoid,
        "step": lambda x: (x > 0).astype(x.dtype),
        "sqrt": jnp.sqrt,
    }
)


def _length(x: jax.Array) -> jax.Array:
    """|x| in float64, whatever the format of x: small angles between long vectors need it."""
    return jnp.sqrt(jnp.sum(jnp.square(x.astype("float64"))))


def norm(value: Value, x: jax.Array) -> jax.Array:
    return _length(x).astype(x.dtype)


def angle(value: Value, a: jax.Array, b: jax.Array) -> jax.Array:
    """NaN where a length is 0: 0 / 0 makes it so. Without the barrier u - v would not be 0 where a is b, since XLA
    rounds a product that it takes into a difference otherwise than one that stands alone."""
    u, v = jax.lax.optimization_barrier((a / _length(a), b / _length(b)))
    return jnp.degrees(2 * jnp.arctan2(_length(u - v), _length(u + v))).astype(a.dtype)


OPERATIONS: Mapping[str, Callable[..., jax.Array]] = MappingProxyType(
    {
        "norm": norm,
        "angle": angle,
        "add": lambda value, a, b: a + b,
        "multiply": lambda value, a, b: a * b,
        "divide": lambda value, a, b: a / b,
        "scale": lambda value, a: float(value["factor"]) * a,
        "shift": lambda value, a: a + float(value["amount"]),
        "power": lambda value, a: a ** int(value["exponent"]),
        "function": lambda value, a: FUNCTIONS[value["name"]](a),
    }
)
