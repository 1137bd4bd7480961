"""LeNet-5 (LeCun et al. 1998), line by line what models/circuits/lenet.yaml declares; its comments give the sources."""

from collections.abc import Sequence

from ...circuits.declarations import Circuit, LearningSystem
from ..builder import Builder


def lenet(
    *,
    size: Sequence[int] = (1, 28, 28),
    classes: int = 10,
    transfer: str = "tanh",
    initial: object = "xavier",
    learning: str | LearningSystem = "backprop",
) -> Circuit:
    """LeNet-5 in its common modern form: two 5x5 convolutions, each averaged over 2x2, and three dense layers."""
    net = Builder("lenet", "LeNet-5 in its common modern form, 5 plastic layers, 61,706 parameters at 28x28.")
    net.input("image", size)
    net.population("c1", transfer=transfer)
    net.population("s2")
    net.population("c3", transfer=transfer)
    net.population("s4")
    net.population("c5", transfer=transfer)
    net.population("f6", transfer=transfer)
    net.population("answer", transfer="softmax")
    net.project("image", "c1", {"conv": {"channels": 6, "kernel": 5}}, initial=initial)
    net.project("c1", "s2", {"pool": {"kind": "average", "size": 2}})
    net.project("s2", "c3", {"conv": {"channels": 16, "kernel": 5, "padding": 0}}, initial=initial)
    net.project("c3", "s4", {"pool": {"kind": "average", "size": 2}})
    net.project("s4", "c5", {"dense": {"size": 120}}, initial=initial)
    net.project("c5", "f6", {"dense": {"size": 84}}, initial=initial)
    net.project("f6", "answer", {"dense": {"size": classes}}, initial=initial)
    return net.circuit(learning)
