"""AlexNet on one tower (Krizhevsky 2014), what models/circuits/alexnet.yaml declares; its comments give the sources."""

from collections.abc import Sequence
from math import sqrt

from ...circuits.declarations import Circuit, LearningSystem
from ..builder import Builder
from .options import scaled

UNIFORM = {"kaiming": {"gain": 1 / sqrt(3), "distribution": "uniform"}}
"""Uniform within 1 / sqrt(fan-in), as torch draws weights where nothing else is said."""


def alexnet(
    *,
    size: Sequence[int] = (3, 224, 224),
    classes: int = 1000,
    width: float = 1,
    dropout: float = 0.5,
    initial: object = UNIFORM,
    learning: str | LearningSystem = "backprop",
) -> Circuit:
    """AlexNet in torchvision's form: five convolutions, three maxima, three dense layers."""
    net = Builder("alexnet", "AlexNet in torchvision's form, 8 plastic layers, 61,100,840 parameters at 224x224.")

    def conv(source: str, name: str, channels: int, **geometry: int) -> str:
        target = net.population(name, transfer="relu")
        net.project(
            source, target, {"conv": {"channels": scaled(channels, width, net.name), **geometry}}, initial=initial
        )
        return target

    def largest(source: str, name: str) -> str:
        net.project(source, net.population(name), {"pool": {"kind": "max", "size": 3, "stride": 2}})
        return name

    def dense(source: str, name: str, **declared: object) -> str:
        target = net.population(name, transfer="relu", **declared)
        net.project(source, target, {"dense": {"size": scaled(4096, width, net.name)}}, initial=initial)
        return target

    image = net.input("image", size)
    pool1 = largest(conv(image, "conv1", 64, kernel=11, stride=4, padding=2), "pool1")
    pool2 = largest(conv(pool1, "conv2", 192, kernel=5), "pool2")
    conv3 = conv(pool2, "conv3", 384, kernel=3)
    conv4 = conv(conv3, "conv4", 256, kernel=3)
    pool5 = largest(conv(conv4, "conv5", 256, kernel=3), "pool5")
    pooled = net.population("pooled", dropout=dropout)
    net.project(pool5, pooled, {"pool": {"kind": "average", "to": [6, 6]}})
    fc7 = dense(dense(pooled, "fc6", dropout=dropout), "fc7")
    net.project(fc7, net.population("answer", transfer="softmax"), {"dense": {"size": classes}}, initial=initial)
    return net.circuit(learning)
