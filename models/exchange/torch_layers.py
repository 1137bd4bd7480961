"""What wirings, normalizations and transfer functions are called in torch."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from ...circuits.declarations import BatchNormalization
from ...circuits.wiring import Conv, Geometry, Pool, Shape

TRANSFERS: Mapping[str, tuple[Callable[..., Any], Mapping[str, Any]]] = MappingProxyType(
    {
        "relu": (functional.relu, {}),
        "relu6": (functional.relu6, {}),
        "hardswish": (functional.hardswish, {}),
        "gelu": (functional.gelu, {}),
        "silu": (functional.silu, {}),
        "tanh": (torch.tanh, {}),
        "sigmoid": (torch.sigmoid, {}),
        # Linear beyond the threshold: at 40 that is exact to rounding, in float64 too.
        "softplus": (functional.softplus, {"threshold": 40.0}),
    }
)
"""The function of each transfer function with its arguments. Linear needs none; softmax is left to the loss."""


def convolution(geometry: Geometry) -> nn.Conv2d:
    """A convolution without bias."""
    wiring = geometry.wiring
    assert isinstance(wiring, Conv)
    return nn.Conv2d(
        geometry.lower[0], geometry.upper[0], wiring.kernel, wiring.stride, wiring.pads, wiring.dilation, wiring.groups,
        bias=False,
    )  # fmt: skip


def normalization(how: BatchNormalization, shape: Shape) -> nn.BatchNorm1d | nn.BatchNorm2d:
    """Batch normalization of maps or of a row, as yet without gain and bias."""
    kind = nn.BatchNorm2d if len(shape) == 3 else nn.BatchNorm1d
    return kind(shape[0], eps=how.epsilon, momentum=how.momentum, affine=False)


def linear(geometry: Geometry) -> nn.Linear:
    """A linear layer without bias, from the source as a row."""
    assert geometry.weight_shape is not None
    outputs, inputs = geometry.weight_shape
    return nn.Linear(inputs, outputs, bias=False)


def pool(geometry: Geometry) -> nn.Module:
    """The pool that covers the same windows."""
    wiring = geometry.wiring
    assert isinstance(wiring, Pool)
    if wiring.to is not None:
        return nn.AdaptiveAvgPool2d(wiring.to)
    if wiring.size == "global" and wiring.padding == (0, 0):
        return nn.AdaptiveAvgPool2d(1) if wiring.over == "average" else nn.AdaptiveMaxPool2d(1)
    size, stride = wiring.window(geometry.lower)
    if wiring.over == "average":
        return nn.AvgPool2d(size, stride, wiring.padding)
    return nn.MaxPool2d(size, stride, wiring.padding, ceil_mode=wiring.ceil)
