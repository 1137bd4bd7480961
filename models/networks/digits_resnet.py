"""The demo's residual network for 8x8 digits, what models/circuits/digits_resnet.yaml declares."""

from collections.abc import Sequence

from ...circuits.declarations import Circuit, LearningSystem
from ..builder import Builder

NORMALIZED = {"normalize": "batch", "transfer": "relu"}


def digits_resnet(
    *,
    size: Sequence[int] = (1, 8, 8),
    classes: int = 10,
    width1: int = 12,
    width2: int = 24,
    width3: int = 48,
    learning: str | LearningSystem = "backprop",
) -> Circuit:
    """A stem, three stages of two pre-activation blocks, and a dense layer."""
    net = Builder("digits_resnet", "A pre-activation residual network for 8x8 images, 16 plastic layers.")
    net.input("image", size)
    source = net.population("stem")
    for stage, channels in enumerate((width1, width2, width3), start=1):
        for number in (1, 2):
            source = _block(net, f"stage{stage}.block{number}", source, channels, widens=stage > 1 and number == 1)
    net.project("image", "stem", {"conv": {"channels": width1, "kernel": 3}})
    net.project(source, net.population("top", **NORMALIZED), "one_to_one")
    net.project("top", net.population("pooled"), {"pool": {"kind": "average", "size": "global"}})
    net.project("pooled", net.population("digit", transfer="softmax"), {"dense": {"size": classes}})
    return net.circuit(learning)


def _block(net: Builder, name: str, source: str, channels: int, *, widens: bool) -> str:
    stride = 2 if widens else 1
    entry = net.population(f"{name}.entry", **NORMALIZED)
    hidden = net.population(f"{name}.hidden", **NORMALIZED)
    total = net.population(f"{name}.sum")
    net.project(source, entry, "one_to_one")
    net.project(entry, hidden, {"conv": {"channels": channels, "kernel": 3, "stride": stride}})
    net.project(hidden, total, {"conv": {"channels": channels, "kernel": 3}})
    if widens:
        wiring = {"conv": {"channels": channels, "kernel": 1, "stride": stride}}
        net.project(entry, total, wiring, name=f"{name}.shortcut")
    else:
        net.project(source, total, "one_to_one")
    return total
