"""Small random circuits.

Odd strides, paddings, dilations and groups, skips and fan-in, pools of every kind, concatenation by channel ranges,
flatten, dense onto maps, dropout: whatever wirings and populations can say, with one input and one output.
"""

from dataclasses import dataclass, field
from math import prod
from typing import Any

from hypothesis import strategies as st

from ...circuits import Circuit
from ...circuits.declarations import LearningSystem
from ...circuits.wiring import Shape
from ...circuits.yamlfile import Document
from ...models import stock_learning
from ...models.library import load_document
from .wirings import convolutions, windows

SMOOTH = ("linear", "tanh", "sigmoid", "gelu", "silu", "softplus")
TRANSFERS = (*SMOOTH, "relu", "relu6", "hardswish")
OUTPUTS = (
    {"transfer": "softmax"},
    {"loss": "squared"},
    {"transfer": "tanh", "loss": "squared"},
    {"transfer": "sigmoid", "loss": "binary_cross_entropy"},
)


@st.composite
def circuits(draw: st.DrawFn, learning: str | LearningSystem | None = None, layers: int = 4) -> Circuit:
    """Compact circuits with one input and one output of any loss, under a learning system (any stock one)."""
    system = learning if learning is not None else draw(st.sampled_from(sorted(stock_learning())))
    return load_document(Document(draw(declared(layers)), "drawn"), learning=system)


@st.composite
def declared(draw: st.DrawFn, layers: int = 4, *, smooth: bool = False, dead_ends: bool = True) -> dict[str, Any]:
    """The same as plain data without a learning system.

    `smooth`: without kinks and maxima; `dead_ends`: there may be populations from which no way leads to the output.
    """
    image = (draw(st.integers(1, 4)), draw(st.integers(1, 7)), draw(st.integers(1, 7)))
    net = _Net(draw, image, smooth)
    for _ in range(draw(st.integers(0, layers))):
        draw(st.sampled_from((net.conv, net.pool, net.one_to_one, net.concatenate, net.flatten, net.dense)))()
    return net.whole(dead_ends and draw(st.booleans()))


@dataclass
class _Net:
    """A circuit as it grows, population by population."""

    draw: st.DrawFn
    image: Shape
    smooth: bool = False
    shapes: dict[str, Shape] = field(default_factory=dict)
    populations: dict[str, Any] = field(default_factory=dict)
    projections: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.shapes["image"] = self.image
        self.populations["image"] = {"input": list(self.image)}

    def some(self, *, maps: bool = False) -> str:
        found = [name for name, shape in self.shapes.items() if len(shape) == 3 or not maps]
        return self.draw(st.sampled_from(found))

    def grow(self, shape: Shape, *, said: bool = False) -> str:
        """A new population; its shape is declared where nothing else could tell."""
        name = f"p{len(self.populations)}"
        population: dict[str, Any] = {"transfer": self.draw(st.sampled_from(SMOOTH if self.smooth else TRANSFERS))}
        if self.draw(st.booleans()):
            population["normalize"] = self.draw(st.sampled_from(["batch", {"batch": {"momentum": 0.3}}]))
        elif self.draw(st.booleans()):
            population["bias"] = self.draw(st.booleans())
        if self.draw(st.integers(0, 3)) == 0:
            population["dropout"] = self.draw(st.sampled_from((0.2, 0.5, 0.75)))
        if said or self.draw(st.booleans()):
            population["shape"] = list(shape)
        self.populations[name], self.shapes[name] = population, shape
        return name

    def join(self, source: str, target: str, wiring: Any) -> None:
        projection = {"from": source, "to": target, "wiring": wiring}
        if any(p["from"] == source and p["to"] == target for p in self.projections):
            projection["name"] = f"q{len(self.projections)}"
        if self.draw(st.booleans()):
            projection["initial"] = self.draw(st.sampled_from(["xavier", {"normal": {"deviation": 0.1}}, "kaiming"]))
        self.projections.append(projection)

    def conv(self) -> None:
        """A convolution, sometimes joined by a second one into the same sum."""
        source = self.some(maps=True)
        wiring, shape = self.draw(convolutions(self.shapes[source]))
        if min(shape[1:]) < 1:
            return
        target = self.grow(shape)
        self.join(source, target, {"conv": wiring})
        twins = [name for name, other in self.shapes.items() if other == self.shapes[source] and name != target]
        if self.draw(st.booleans()):
            self.join(self.draw(st.sampled_from(twins)), target, {"conv": wiring})

    def pool(self) -> None:
        """An average or a maximum, of the whole map, of windows that share it out, or of windows of one size."""
        source = self.some(maps=True)
        channels, *sides = self.shapes[source]
        kind = "average" if self.smooth else self.draw(st.sampled_from(("average", "max")))
        form = self.draw(st.sampled_from(("global", "to", "size")))
        if form == "global":
            self.join(source, self.grow((channels, 1, 1)), {"pool": {"kind": kind, "size": "global"}})
        elif form == "to" and kind == "average":
            to = [self.draw(st.integers(1, 5)), self.draw(st.integers(1, 5))]
            self.join(source, self.grow((channels, *to)), {"pool": {"kind": kind, "to": to}})
        else:
            wiring, shape = self.draw(windows(kind, (channels, *sides)))
            self.join(source, self.grow(shape), {"pool": wiring})

    def one_to_one(self) -> None:
        """A sum of one or two populations of one shape: a skip."""
        source = self.some()
        twins = [name for name, shape in self.shapes.items() if shape == self.shapes[source] and name != source]
        target = self.grow(self.shapes[source])
        self.join(source, target, "one_to_one")
        if twins:
            self.join(self.draw(st.sampled_from(twins)), target, "one_to_one")

    def concatenate(self) -> None:
        """Channel ranges of two populations, side by side."""
        first = self.some(maps=True)
        second = self.draw(
            st.sampled_from([n for n, s in self.shapes.items() if len(s) == 3 and s[1:] == self.shapes[first][1:]])
        )
        channels = self.shapes[first][0]
        start = self.draw(st.integers(0, self.shapes[second][0] - 1))
        stop = self.draw(st.integers(start + 1, self.shapes[second][0]))
        width = channels + stop - start
        target = self.grow((width, *self.shapes[first][1:]), said=self.draw(st.booleans()))
        self.join(first, target, {"one_to_one": {"target": [0, channels]}})
        self.join(second, target, {"one_to_one": {"source": [start, stop], "target": [channels, width]}})

    def flatten(self) -> None:
        """Maps as a row."""
        source = self.some()
        self.join(source, self.grow((prod(self.shapes[source]),)), "flatten")

    def dense(self) -> None:
        """Dense onto a row, or onto maps, with a weight for each neuron or each channel."""
        source = self.some()
        if self.draw(st.booleans()):
            size = self.draw(st.integers(1, 6))
            self.join(source, self.grow((size,)), {"dense": {"size": size}})
        else:
            maps = (self.draw(st.integers(1, 3)), self.draw(st.integers(1, 3)), self.draw(st.integers(1, 3)))
            wiring = self.draw(st.sampled_from(["dense", {"dense": {"shared": True}}]))
            self.join(source, self.grow(maps, said=True), wiring)

    def whole(self, dead_ends: bool) -> dict[str, Any]:
        """The circuit, closed by its output, which reads the last population, or all that nothing else reads."""
        self.populations["out"] = dict(self.draw(st.sampled_from(OUTPUTS)))
        size = self.draw(st.integers(2, 5))
        read = {projection["from"] for projection in self.projections}
        last = list(self.shapes)[-1:]
        for name in last if dead_ends else [name for name in self.shapes if name not in read]:
            self.join(name, "out", {"dense": {"size": size}})
        return {"format": 1, "name": "drawn", "populations": self.populations, "projections": self.projections}
