"""A plain network of 3x3 convolutions, what models/circuits/plain_cnn.yaml declares; its comments give the sources."""

from collections.abc import Sequence

from ...circuits.declarations import Circuit, LearningSystem
from ..builder import Builder
from .options import counted


def plain_cnn(
    *,
    size: Sequence[int] = (1, 8, 8),
    classes: int = 10,
    width: int = 16,
    depth: int = 2,
    transfer: str = "relu",
    learning: str | LearningSystem = "backprop",
) -> Circuit:
    """Three stages of `depth` convolutions with `width`, 2 `width`, 4 `width` channels, averaged before the output."""
    net = Builder("plain_cnn", "A plain convolutional network for small images, no skips.")
    source = net.input("image", size)
    narrow, repeat = counted(width, net.name, "width"), counted(depth, net.name, "depth")
    for stage in (1, 2, 3):
        for number in range(1, repeat + 1):
            target = net.population(f"stage{stage}.block{number}.conv", normalize="batch", transfer=transfer)
            stride = 2 if stage > 1 and number == 1 else 1
            wiring = {"conv": {"channels": narrow * 2 ** (stage - 1), "kernel": 3, "stride": stride}}
            net.project(source, target, wiring)
            source = target
    net.project(source, net.population("pooled"), {"pool": {"kind": "average", "size": "global"}})
    net.project("pooled", net.population("answer", transfer="softmax"), {"dense": {"size": classes}})
    return net.circuit(learning)
