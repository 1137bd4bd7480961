"""What functions of torch and methods of tensors mean in a circuit: most are layers in other words."""

import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch.nn import functional

from ...circuits.errors import suggest
from .cells import Growth, Signal
from .layers import SOFTMAX, Layer, Nothing, Reduce, Refusal
from .modules import (
    adaptive_average,
    adaptive_max,
    average_pool,
    dropout,
    flatten,
    gelu,
    max_pool,
    softmax,
    softplus,
    transfer,
)


def _plain(name: str) -> Callable[..., Layer]:
    return lambda inplace=False: transfer(name)


def _dropout(p: float = 0.5, training: bool = True, inplace: bool = False) -> Layer:
    return dropout(p) if training else Nothing()


def _softmax(dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Layer:
    return softmax(dim, dtype)


class _GlobalMean(Reduce):
    """The mean over height and width, as a row unless the sides are kept."""

    def lay(self, growth: Growth, signal: Signal, path: str) -> Signal:
        pooled = super().lay(growth, signal, path)
        return Signal(pooled.cell, True, pooled.sole)


def _mean(dim: Any = None, keepdim: bool = False) -> Layer:
    sides = {side % 4 for side in dim} if isinstance(dim, tuple | list) else {dim}
    if sides != {2, 3}:
        raise Refusal(f"a mean is over the whole map (got dim={dim}): say dim=(2, 3), or use a pool")
    wiring = adaptive_average(1)
    assert isinstance(wiring, Reduce)
    return wiring if keepdim else _GlobalMean(wiring=wiring.wiring)


FUNCTIONS: Mapping[Any, Callable[..., Layer]] = MappingProxyType(
    {
        functional.relu: _plain("relu"),
        functional.relu6: _plain("relu6"),
        functional.hardswish: _plain("hardswish"),
        functional.silu: _plain("silu"),
        functional.gelu: gelu,
        functional.softplus: softplus,
        functional.dropout: _dropout,
        functional.max_pool2d: max_pool,
        functional.avg_pool2d: average_pool,
        functional.adaptive_avg_pool2d: adaptive_average,
        functional.adaptive_max_pool2d: adaptive_max,
        torch.relu: _plain("relu"),
        torch.relu_: _plain("relu"),
        torch.tanh: _plain("tanh"),
        torch.sigmoid: _plain("sigmoid"),
        torch.softmax: softmax,
        functional.softmax: _softmax,
        torch.flatten: flatten,
        torch.mean: _mean,
    }
)
"""Functions of one activity, by what follows it in their arguments."""

METHODS: Mapping[str, Callable[..., Layer]] = MappingProxyType(
    {
        **dict.fromkeys(("relu", "relu_"), _plain("relu")),
        **dict.fromkeys(("tanh", "tanh_"), _plain("tanh")),
        **dict.fromkeys(("sigmoid", "sigmoid_"), _plain("sigmoid")),
        "softmax": softmax,
        "flatten": flatten,
        "mean": _mean,
        "contiguous": lambda **_: Nothing(),
        "clone": lambda **_: Nothing(),
    }
)
"""Methods of an activity, in the same way."""

ADDITIONS = frozenset({operator.add, operator.iadd, torch.add, "add", "add_"})
CONCATENATIONS = frozenset({torch.cat, torch.concat, torch.concatenate})
ARITHMETIC = frozenset(
    {operator.add, operator.sub, operator.mul, operator.floordiv, operator.mod}
    | {operator.iadd, operator.isub, operator.imul, operator.ifloordiv, operator.imod}
)
"""Of sizes."""
RESHAPES = frozenset({"view", "reshape", torch.reshape})

INSTEAD: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(
            ("mul", "mul_", "imul", "matmul", "imatmul", "bmm", "einsum", "truediv", "itruediv", "div"),
            "inputs of a population add up; products (squeeze-and-excitation, attention, a scale) have no place",
        ),
        **dict.fromkeys(
            ("chunk", "split", "transpose", "permute", "channel_shuffle"),
            "channels keep their order: take channels by x[:, start:stop] and join them by torch.cat(..., 1)",
        ),
        **dict.fromkeys(("sub", "isub", "neg"), "populations add: say torch.add, and let the weights learn the sign"),
        **dict.fromkeys(("softmax", "log_softmax"), SOFTMAX),
        "pad": "zeros around maps belong to the layer that reads them: say Conv2d(..., padding=...)",
        **dict.fromkeys(
            ("interpolate", "upsample"),
            "wirings keep the size of maps or reduce it: use convolutions with a stride, pools",
        ),
        **dict.fromkeys(
            ("conv2d", "linear", "batch_norm"),
            "layers hold their own weights: use torch.nn.Conv2d, Linear, BatchNorm2d",
        ),
        "stochastic_depth": "dropout is neuron by neuron, not by branch: say stochastic_depth_prob=0, or take it out",
    }
)
"""What to use instead, or why there is nothing, by the name of the operation."""


def unknown(target: Any) -> Refusal:
    """The refusal of an operation that is in no table."""
    name = operation_name(target)
    tables = [*FUNCTIONS, *METHODS, *ADDITIONS, *CONCATENATIONS, *RESHAPES]
    names = {operation_name(each).rstrip("_") for each in tables}
    known = sorted(names - {"fn", "iadd"} | {"max_pool2d"})  # `fn`: what torch calls its max_pool2d
    return Refusal(f"'{name}' cannot be said: {INSTEAD.get(name) or suggest(name, known, 'operations')}")


def operation_name(target: Any) -> str:
    return target if isinstance(target, str) else getattr(target, "__name__", str(target))
