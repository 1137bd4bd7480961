"""Residual networks in the pre-activation form (He et al. 2016, Identity mappings in deep residual networks), what
models/circuits/resnet_v2.yaml declares; its comments give the sources.
"""

from dataclasses import dataclass
from typing import Any, Unpack

from ...circuits.declarations import Circuit
from .residual import ResidualNetwork, ResidualOptions


class ResNetV2Options(ResidualOptions, total=False):
    """Of the pre-activation form."""

    last: Any
    """Initial weights of each block's last convolution; with zeros, every block starts as the identity."""


def resnet18_v2(**options: Unpack[ResNetV2Options]) -> Circuit:
    """Eight basic blocks."""
    return ResNetV2(**options).circuit(18)


def resnet34_v2(**options: Unpack[ResNetV2Options]) -> Circuit:
    """Sixteen basic blocks."""
    return ResNetV2(**options).circuit(34)


def resnet50_v2(**options: Unpack[ResNetV2Options]) -> Circuit:
    """Sixteen bottlenecks."""
    return ResNetV2(**options).circuit(50)


def resnet101_v2(**options: Unpack[ResNetV2Options]) -> Circuit:
    """Thirty-three bottlenecks."""
    return ResNetV2(**options).circuit(101)


def resnet152_v2(**options: Unpack[ResNetV2Options]) -> Circuit:
    """Fifty bottlenecks."""
    return ResNetV2(**options).circuit(152)


@dataclass(kw_only=True)
class ResNetV2(ResidualNetwork):
    """Normalization and ReLU come before each convolution; the way from sum to sum is the identity."""

    form = "_v2"
    description = "Residual networks in the pre-activation form."

    last: Any = None

    def entry(self, name: str, image: str, channels: int) -> str:
        total = self.net.population(f"{name}.sum")
        self.stem_conv(f"{name}.conv1", image, total, channels)
        return total

    def basic(self, name: str, source: str, channels: int, stride: int, wider: bool) -> str:
        entry = self._entered(name, source)
        hidden = self.net.population(f"{name}.hidden", **self.neuron)
        total = self.net.population(f"{name}.sum")
        self.conv(f"{name}.conv1", entry, hidden, channels, 3, stride)
        self.conv(f"{name}.conv2", hidden, total, channels, 3, initial=self.last)
        return self._shortcut(name, source, entry, total, channels, stride, wider)

    def bottleneck(self, name: str, source: str, channels: int, stride: int, wider: bool) -> str:
        entry = self._entered(name, source)
        narrow = self.net.population(f"{name}.narrow", **self.neuron)
        hidden = self.net.population(f"{name}.hidden", **self.neuron)
        total = self.net.population(f"{name}.sum")
        self.conv(f"{name}.conv1", entry, narrow, channels, 1)
        self.conv(f"{name}.conv2", narrow, hidden, channels, 3, stride)
        self.conv(f"{name}.conv3", hidden, total, 4 * channels, 1, initial=self.last)
        return self._shortcut(name, source, entry, total, 4 * channels, stride, wider)

    def top(self, source: str) -> str:
        return self.add(source, to=self.net.population("top", **self.neuron))

    def _entered(self, name: str, source: str) -> str:
        return self.add(source, to=self.net.population(f"{name}.entry", **self.neuron))

    def _shortcut(self, name: str, source: str, entry: str, total: str, channels: int, stride: int, wider: bool) -> str:
        if not wider:
            return self.add(source, to=total)
        self.conv(f"{name}.downsample", entry, total, channels, 1, stride)
        return total
