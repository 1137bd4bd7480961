"""Residual networks with normalization after each ReLU, what models/circuits/resnet_post.yaml declares; its comments
give the sources, and say that this form rests on memory of Akrout et al. 2019.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Unpack

from ...circuits.declarations import Circuit
from .residual import ResidualNetwork, ResidualOptions


class ResNetPostOptions(ResidualOptions, total=False):
    """Of the form with normalization after each ReLU."""

    last: Any
    """Initial weights of each block's last convolution; with zeros, every block starts as its shortcut."""


def resnet18_post(**options: Unpack[ResNetPostOptions]) -> Circuit:
    """Eight basic blocks."""
    return ResNetPost(**options).circuit(18)


def resnet34_post(**options: Unpack[ResNetPostOptions]) -> Circuit:
    """Sixteen basic blocks."""
    return ResNetPost(**options).circuit(34)


def resnet50_post(**options: Unpack[ResNetPostOptions]) -> Circuit:
    """Sixteen bottlenecks."""
    return ResNetPost(**options).circuit(50)


def resnet101_post(**options: Unpack[ResNetPostOptions]) -> Circuit:
    """Thirty-three bottlenecks."""
    return ResNetPost(**options).circuit(101)


def resnet152_post(**options: Unpack[ResNetPostOptions]) -> Circuit:
    """Fifty bottlenecks."""
    return ResNetPost(**options).circuit(152)


@dataclass(kw_only=True)
class ResNetPost(ResidualNetwork):
    """Convolution, ReLU, normalization; behind the sum too."""

    form = "_post"
    description = "Residual networks with normalization after each ReLU, from memory of the paper, unchecked."

    neuron: Mapping[str, Any] = field(default_factory=lambda: {"transfer": "relu", "bias": False})
    last: Any = None

    def entry(self, name: str, image: str, channels: int) -> str:
        hidden = self.net.population(f"{name}.hidden", **self.neuron)
        self.stem_conv(f"{name}.conv1", image, hidden, channels)
        return self._normal(hidden, f"{name}.normal")

    def basic(self, name: str, source: str, channels: int, stride: int, wider: bool) -> str:
        hidden = self.net.population(f"{name}.hidden", **self.neuron)
        total = self.net.population(f"{name}.sum", **self.neuron)
        self.conv(f"{name}.conv1", source, hidden, channels, 3, stride)
        normal = self._normal(hidden, f"{name}.normal")
        self.conv(f"{name}.conv2", normal, total, channels, 3, initial=self.last)
        return self._out(name, source, total, channels, stride, wider)

    def bottleneck(self, name: str, source: str, channels: int, stride: int, wider: bool) -> str:
        narrow = self.net.population(f"{name}.narrow", **self.neuron)
        hidden = self.net.population(f"{name}.hidden", **self.neuron)
        total = self.net.population(f"{name}.sum", **self.neuron)
        self.conv(f"{name}.conv1", source, narrow, channels, 1)
        normal1 = self._normal(narrow, f"{name}.normal1")
        self.conv(f"{name}.conv2", normal1, hidden, channels, 3, stride)
        normal2 = self._normal(hidden, f"{name}.normal2")
        self.conv(f"{name}.conv3", normal2, total, 4 * channels, 1, initial=self.last)
        return self._out(name, source, total, 4 * channels, stride, wider)

    def _normal(self, source: str, name: str) -> str:
        return self.add(source, to=self.net.population(name, normalize="batch"))

    def _out(self, name: str, source: str, total: str, channels: int, stride: int, wider: bool) -> str:
        if wider:
            self.conv(f"{name}.downsample", source, total, channels, 1, stride)
        else:
            self.add(source, to=total)
        return self._normal(total, f"{name}.out")
