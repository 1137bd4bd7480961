"""Residual networks in the classic form (He et al. 2016, Deep residual learning), what models/circuits/resnet.yaml
declares; its comments give the sources.
"""

from dataclasses import dataclass
from typing import Unpack

from ...circuits.declarations import Circuit
from .residual import ResidualNetwork, ResidualOptions


class ResNetOptions(ResidualOptions, total=False):
    """Of the classic form."""

    last_gain: float
    """Of each block's last normalization; with 0, every block starts as the identity."""


def resnet18(**options: Unpack[ResNetOptions]) -> Circuit:
    """Eight basic blocks."""
    return ResNet(**options).circuit(18)


def resnet34(**options: Unpack[ResNetOptions]) -> Circuit:
    """Sixteen basic blocks."""
    return ResNet(**options).circuit(34)


def resnet50(**options: Unpack[ResNetOptions]) -> Circuit:
    """Sixteen bottlenecks."""
    return ResNet(**options).circuit(50)


def resnet101(**options: Unpack[ResNetOptions]) -> Circuit:
    """Thirty-three bottlenecks."""
    return ResNet(**options).circuit(101)


def resnet152(**options: Unpack[ResNetOptions]) -> Circuit:
    """Fifty bottlenecks."""
    return ResNet(**options).circuit(152)


@dataclass(kw_only=True)
class ResNet(ResidualNetwork):
    """Convolution, normalization, ReLU; the last ReLU follows the sum."""

    form = ""
    description = "Residual networks in the classic form, as torchvision has them."

    last_gain: float = 1

    def entry(self, name: str, image: str, channels: int) -> str:
        hidden = self.net.population(f"{name}.hidden", **self.neuron)
        self.stem_conv(f"{name}.conv1", image, hidden, channels)
        return hidden

    def basic(self, name: str, source: str, channels: int, stride: int, wider: bool) -> str:
        hidden = self.net.population(f"{name}.hidden", **self.neuron)
        residual = self.net.population(f"{name}.residual", normalize="batch", initial_gain=self.last_gain)
        self.conv(f"{name}.conv1", source, hidden, channels, 3, stride)
        self.conv(f"{name}.conv2", hidden, residual, channels, 3)
        return self._sum(name, source, residual, channels, stride, wider)

    def bottleneck(self, name: str, source: str, channels: int, stride: int, wider: bool) -> str:
        narrow = self.net.population(f"{name}.narrow", **self.neuron)
        hidden = self.net.population(f"{name}.hidden", **self.neuron)
        residual = self.net.population(f"{name}.residual", normalize="batch", initial_gain=self.last_gain)
        self.conv(f"{name}.conv1", source, narrow, channels, 1)
        self.conv(f"{name}.conv2", narrow, hidden, channels, 3, stride)
        self.conv(f"{name}.conv3", hidden, residual, 4 * channels, 1)
        return self._sum(name, source, residual, 4 * channels, stride, wider)

    def _sum(self, name: str, source: str, residual: str, channels: int, stride: int, wider: bool) -> str:
        shortcut = source
        if wider:
            shortcut = self.net.population(f"{name}.shortcut", normalize="batch")
            self.conv(f"{name}.downsample", source, shortcut, channels, 1, stride)
        return self.add(residual, shortcut, to=self.net.population(f"{name}.sum", transfer="relu"))
