"""Multilayer perceptrons, what models/circuits/mlp.yaml declares; its comments give the sources."""

from collections.abc import Sequence

from ...circuits.declarations import Circuit, LearningSystem
from ..builder import Builder
from .options import counted


def mlp(
    *,
    size: Sequence[int] = (1, 28, 28),
    classes: int = 10,
    width: int = 256,
    depth: int = 2,
    transfer: str = "relu",
    normalize: object = "none",
    initial: object = "kaiming",
    learning: str | LearningSystem = "backprop",
) -> Circuit:
    """`depth` hidden layers of `width` neurons."""
    net = Builder("mlp", "A multilayer perceptron with hidden layers of one width.")
    source = net.input("image", size)
    for number in range(1, counted(depth, net.name, "depth") + 1):
        target = net.population(f"stage1.block{number}.hidden", normalize=normalize, transfer=transfer)
        net.project(source, target, {"dense": {"size": width}}, initial=initial)
        source = target
    answer = net.population("answer", transfer="softmax")
    net.project(source, answer, {"dense": {"size": classes}}, initial=initial)
    return net.circuit(learning)
