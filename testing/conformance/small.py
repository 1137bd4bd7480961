"""Small circuits: every stock one with few channels, and one that holds in small what residual networks are made of."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ...circuits.declarations import Circuit, LearningSystem
from ...models.library import load, load_learning, loads
from .drawn import with_few_maps

_RESNET = {"size": [3, 16, 16], "stem": "small", "width": 0.0625, "classes": 5}
OPTIONS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "alexnet": {"size": [3, 63, 63], "width": 0.05, "classes": 5},
        "digits_resnet": {"width1": 3, "width2": 4, "width3": 5},
        "lenet": {},
        "mlp": {"width": 8},
        "plain_cnn": {"width": 4},
        "resnet": _RESNET,
        "resnet_post": _RESNET,
        "resnet_v2": _RESNET,
        "vgg_bn": {"size": [3, 32, 32], "width": 0.05, "classes": 5},
    }
)
"""By the name of a stock circuit."""

RESIDUAL = """
name: residual
populations:
  image: {input: [2, 8, 8]}
  stem: {normalize: batch, transfer: relu}
  hidden: {normalize: batch, transfer: tanh}
  sum: {transfer: relu}
  reduced: {}
  top: {normalize: batch, transfer: gelu, dropout: 0.25}
  pooled: {}
  code: {transfer: tanh}
  answer: {transfer: softmax}
projections:
  - {from: image, to: stem, wiring: {conv: {channels: 4, kernel: 3}}}
  - {from: stem, to: hidden, wiring: {conv: {channels: 4, kernel: 3, groups: 2}}}
  - {from: hidden, to: sum, wiring: {conv: {channels: 4, kernel: 1}}}
  - {from: stem, to: sum, wiring: one_to_one}
  - {from: sum, to: reduced, wiring: {pool: {kind: max, size: 3, stride: 2, padding: 1}}}
  - {from: reduced, to: top, wiring: {conv: {channels: 6, kernel: 3, stride: 2}}}
  - {from: top, to: pooled, wiring: {pool: {kind: average, size: global}}}
  - {from: pooled, to: code, wiring: {dense: {size: 7}}}
  - {from: code, to: answer, wiring: {dense: {size: 5}}}
"""


def stock(name: str, learning: str | LearningSystem) -> Circuit:
    """A stock circuit in small."""
    return load(name, learning=with_few_maps(load_learning(learning)), options=OPTIONS[name])


def residual(learning: str) -> Circuit:
    """Convolutions with and without groups and strides, a skip, both kinds of pool, normalization, dropout, biases."""
    return loads(RESIDUAL, learning=with_few_maps(load_learning(learning)))
