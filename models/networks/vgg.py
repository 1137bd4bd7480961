"""VGG with batch normalization (Simonyan and Zisserman 2015), what models/circuits/vgg_bn.yaml declares; its comments
give the sources.
"""

from collections.abc import Sequence
from typing import TypedDict, Unpack

from ...circuits.declarations import Circuit, LearningSystem
from ..builder import Builder
from .options import counted_by_stage, scaled

CHANNELS = (64, 128, 256, 512, 512)


class VggOptions(TypedDict, total=False):
    """What all depths have in common."""

    size: Sequence[int]
    classes: int
    width: float
    dropout: float
    depths: Sequence[int] | None
    """Convolutions in each of the five stages, in the place of those that the name stands for."""
    learning: str | LearningSystem


def vgg11_bn(**options: Unpack[VggOptions]) -> Circuit:
    """Configuration A: 8 convolutions, 3 dense layers."""
    return vgg_bn("vgg11_bn", (1, 1, 2, 2, 2), **options)


def vgg13_bn(**options: Unpack[VggOptions]) -> Circuit:
    """Configuration B: 10 convolutions, 3 dense layers."""
    return vgg_bn("vgg13_bn", (2, 2, 2, 2, 2), **options)


def vgg16_bn(**options: Unpack[VggOptions]) -> Circuit:
    """Configuration D: 13 convolutions, 3 dense layers."""
    return vgg_bn("vgg16_bn", (2, 2, 3, 3, 3), **options)


def vgg19_bn(**options: Unpack[VggOptions]) -> Circuit:
    """Configuration E: 16 convolutions, 3 dense layers."""
    return vgg_bn("vgg19_bn", (2, 2, 4, 4, 4), **options)


def vgg_bn(
    name: str,
    usual: Sequence[int],
    *,
    size: Sequence[int] = (3, 224, 224),
    classes: int = 1000,
    width: float = 1,
    dropout: float = 0.5,
    depths: Sequence[int] | None = None,
    learning: str | LearningSystem = "backprop",
) -> Circuit:
    """Five stages of 3x3 convolutions, `depths` or the `usual`, maxima in between, and three dense layers."""
    net = Builder(name, "VGG with batch normalization, in torchvision's form.")
    repeats = counted_by_stage(usual if depths is None else depths, len(CHANNELS), name)
    source = net.input("image", size)
    for stage, (depth, channels) in enumerate(zip(repeats, CHANNELS, strict=True), start=1):
        for number in range(1, depth + 1):
            block = f"stage{stage}.block{number}"
            if stage > 1 and number == 1:
                source = _largest(net, source, f"{block}.pool")
            target = net.population(f"{block}.conv", normalize="batch", transfer="relu")
            wiring = {"conv": {"channels": scaled(channels, width, name), "kernel": 3}}
            net.project(source, target, wiring, initial={"kaiming": {"fan": "out"}})
            source = target
    source = _largest(net, source, "pool")
    net.project(source, net.population("pooled"), {"pool": {"kind": "average", "to": [7, 7]}})
    fc1 = net.population("fc1", transfer="relu", dropout=dropout)
    fc2 = net.population("fc2", transfer="relu", dropout=dropout)
    answer = net.population("answer", transfer="softmax")
    hidden = scaled(4096, width, name)
    for source, target, neurons in (("pooled", fc1, hidden), (fc1, fc2, hidden), (fc2, answer, classes)):
        net.project(source, target, {"dense": {"size": neurons}}, initial={"normal": {"deviation": 0.01}})
    return net.circuit(learning)


def _largest(net: Builder, source: str, name: str) -> str:
    net.project(source, net.population(name), {"pool": {"kind": "max", "size": 2}})
    return name
