"""What the residual networks of all forms and depths share: a stem, four stages of blocks, a dense layer."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from typing import Any, ClassVar, Literal, TypedDict

from ...circuits.declarations import Circuit, LearningSystem
from ...circuits.errors import CircuitError, Location, Problem, suggest
from ..builder import Builder
from .options import counted_by_stage, scaled

CHANNELS = (64, 128, 256, 512)
"""Of the four stages; a bottleneck puts out four times as many."""
DEPTHS: dict[int, tuple[str, tuple[int, ...]]] = {
    18: ("basic", (2, 2, 2, 2)),
    34: ("basic", (3, 4, 6, 3)),
    50: ("bottleneck", (3, 4, 6, 3)),
    101: ("bottleneck", (3, 4, 23, 3)),
    152: ("bottleneck", (3, 8, 36, 3)),
}
"""Blocks of each depth: their kind, and how many a stage (He et al. 2016, table 1)."""
STEMS = {"large": (7, 2), "small": (3, 1)}
"""Kernel and stride of the first convolution."""


class ResidualOptions(TypedDict, total=False):
    """What all forms have in common."""

    size: Sequence[int]
    classes: int
    width: float
    """Multiplies all numbers of channels."""
    depths: Sequence[int] | None
    """Blocks in each of the four stages, in the place of those that the name stands for."""
    stem: Literal["large", "small"]
    """`small`, for images of 64 pixels and less: one 3x3 convolution, no pooling."""
    neuron: Mapping[str, Any]
    """What hidden populations are."""
    initial: Any
    learning: str | LearningSystem


@dataclass(kw_only=True)
class ResidualNetwork(ABC):
    """A residual network under construction. A form says what its stem, its blocks and its top are."""

    form: ClassVar[str]
    """What follows the depth in the circuit's name."""
    description: ClassVar[str]

    size: Sequence[int] = (3, 224, 224)
    classes: int = 1000
    width: float = 1
    depths: Sequence[int] | None = None
    stem: Literal["large", "small"] = "large"
    neuron: Mapping[str, Any] = field(default_factory=lambda: {"normalize": "batch", "transfer": "relu"})
    initial: Any = field(default_factory=lambda: {"kaiming": {"fan": "out"}})
    learning: str | LearningSystem = "backprop"
    net: Builder = field(init=False)

    def circuit(self, depth: int) -> Circuit:
        """The network of a depth. The first block of each later stage doubles the channels and halves the sides."""
        kind, repeats = DEPTHS[depth]
        block: Callable[..., str] = getattr(self, kind)
        self.net = Builder(f"resnet{depth}{self.form}", self.description)
        if self.depths is not None:
            repeats = counted_by_stage(self.depths, len(CHANNELS), self.net.name)
        source = self._stem(self.net.input("image", self.size))
        for stage, (repeat, channels) in enumerate(zip(repeats, CHANNELS, strict=True), start=1):
            for number in range(1, repeat + 1):
                halves = stage > 1 and number == 1
                wider = halves or (kind == "bottleneck" and number == 1)
                source = block(f"stage{stage}.block{number}", source, self._wide(channels), 2 if halves else 1, wider)
        self._head(self.top(source))
        return self.net.circuit(self.learning)

    def _stem(self, image: str) -> str:
        if self.stem not in STEMS:
            hint = suggest(self.stem, STEMS, "stems")
            raise CircuitError(Problem(f"unknown stem '{self.stem}'. {hint}", "stem", Location(self.net.name)))
        source = self.entry("stem.block1", image, self._wide(CHANNELS[0]))
        if self.stem == "small":
            return source
        pooled = self.net.population("stem.block1.pooled")
        self.net.project(source, pooled, {"pool": {"kind": "max", "size": 3, "stride": 2, "padding": 1}})
        return pooled

    def _head(self, source: str) -> None:
        pooled = self.net.population("pooled")
        answer = self.net.population("answer", transfer="softmax")
        uniform = {"kaiming": {"gain": 1 / sqrt(3), "distribution": "uniform"}}  # within 1 / sqrt(fan-in)
        self.net.project(source, pooled, {"pool": {"kind": "average", "size": "global"}})
        self.net.project(pooled, answer, {"dense": {"size": self.classes}}, name="fc", initial=uniform)

    def _wide(self, channels: int) -> int:
        return scaled(channels, self.width, self.net.name)

    # ---- what a form says

    @abstractmethod
    def entry(self, name: str, image: str, channels: int) -> str:
        """The stem's convolution and what follows it, without pooling. Returns its output."""

    @abstractmethod
    def basic(self, name: str, source: str, channels: int, stride: int, wider: bool) -> str:
        """Two 3x3 convolutions; where `wider`, the shortcut is a 1x1 convolution. Returns the block's output."""

    @abstractmethod
    def bottleneck(self, name: str, source: str, channels: int, stride: int, wider: bool) -> str:
        """A 1x1 convolution to fewer channels, a 3x3 one that strides, and a 1x1 one to four times as many."""

    def top(self, source: str) -> str:
        """What follows the last block."""
        return source

    # ---- what it says it with

    def stem_conv(self, name: str, image: str, target: str, channels: int) -> None:
        self.conv(name, image, target, channels, *STEMS[self.stem])

    def conv(
        self, name: str, source: str, target: str, channels: int, kernel: int, stride: int = 1, initial: Any = None
    ) -> None:
        wiring = {"conv": {"channels": channels, "kernel": kernel, "stride": stride}}
        self.net.project(source, target, wiring, name=name, initial=self.initial if initial is None else initial)

    def add(self, *sources: str, to: str) -> str:
        """One-to-one projections, which add up."""
        for source in sources:
            self.net.project(source, to, "one_to_one")
        return to
