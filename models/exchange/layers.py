"""What a layer means in a circuit: one small description a kind, laid onto the signal that arrives."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...circuits.wiring import Conv, Dense, Shape, Wiring, WiringError
from .cells import Afferent, Cell, Growth, Signal, Stage


class Refusal(Exception):
    """What cannot be said, why, and the remedy. The reader of the module adds the place."""


@dataclass(frozen=True, kw_only=True)
class Layer(ABC):
    """What a call does to one signal. `path` names it; it is the layer's qualified name where it is a layer."""

    @abstractmethod
    def lay(self, growth: Growth, signal: Signal, path: str) -> Signal:
        """The signal that leaves the layer. Raises Refusal where the arriving shape does not fit."""


@dataclass(frozen=True, kw_only=True)
class Synapses(Layer):
    """A convolution or a linear layer: it opens a population."""

    wiring: Conv | Dense
    biased: bool
    inputs: int
    """Channels, or neurons, that it expects."""
    plastic: bool = True
    frozen_bias: bool = False
    tied_to: str | None = None
    """The projection that has these weights already."""

    def lay(self, growth: Growth, signal: Signal, path: str) -> Signal:
        shape = signal.shape
        if isinstance(self.wiring, Dense) and len(shape) != 1:
            raise Refusal(f"a linear layer reads a row of neurons (got maps {list(shape)}): flatten them first")
        if shape[0] != self.inputs:
            raise Refusal(f"it expects {self.inputs} inputs (got a signal of shape {list(shape)})")
        label = growth.label(path)
        declared: dict[str, Any] = {} if self.plastic else {"plastic": False}
        if self.tied_to:
            declared["weights"] = {"same_as": self.tied_to}
        afferent = Afferent(signal.cell, self.wiring, label, declared, None if self.tied_to else f"{path}.weight")
        cell = growth.open(path, laid(self.wiring, shape), afferent)
        if self.biased:
            cell.stage, cell.keys["bias"] = Stage.BIASED, f"{path}.bias"
            cell.frozen_bias = self.frozen_bias
        return Signal(cell)


@dataclass(frozen=True, kw_only=True)
class Normalize(Layer):
    """Batch normalization. A bias before it becomes part of the running mean."""

    channels: int
    declared: Mapping[str, Any]
    parameters: Mapping[str, str]
    """Of gain and bias those that it has, and what they are called in the layer."""

    def lay(self, growth: Growth, signal: Signal, path: str) -> Signal:
        cell = _channelwise(growth, signal, self.channels, Stage.NORMALIZED, path)
        cell.declared |= self.declared
        cell.absorbed, cell.frozen_bias = cell.keys.pop("bias", None), False
        cell.keys |= {kind: f"{path}.{name}" for kind, name in self.parameters.items()}
        cell.keys |= {"running_mean": f"{path}.running_mean", "running_variance": f"{path}.running_var"}
        return Signal(cell)


@dataclass(frozen=True, kw_only=True)
class Bias(Layer):
    """A number a channel, added to whatever arrives (`Offset`)."""

    channels: int

    def lay(self, growth: Growth, signal: Signal, path: str) -> Signal:
        cell = _channelwise(growth, signal, self.channels, Stage.BIASED, path)
        cell.keys["bias"] = f"{path}.bias"
        return Signal(cell)


@dataclass(frozen=True, kw_only=True)
class Answer(Layer):
    """A transfer function, or dropout: elementwise, so that rows and maps are the same to it."""

    stage: Stage
    declared: Mapping[str, Any]

    def lay(self, growth: Growth, signal: Signal, path: str) -> Signal:
        cell = growth.reaching(signal, self.stage, path)
        cell.declared |= self.declared
        return Signal(cell, signal.flat)


SOFTMAX = "softmax stands at the output only: leave it out, from_torch(..., loss='cross_entropy') has it"


@dataclass(frozen=True, kw_only=True)
class Softmax(Layer):
    """Softmax, which is the output's own transfer function under cross-entropy. `dim` is torch's."""

    dim: int | None

    def lay(self, growth: Growth, signal: Signal, path: str) -> Signal:
        if len(signal.shape) != 1 or self.dim not in (1, -1):
            raise Refusal(
                f"softmax is over the neurons of a row (got dim={self.dim} of {list(signal.shape)}): say dim=1 after "
                "torch.flatten(x, 1), or leave it out"
            )
        cell = growth.reaching(Signal(growth.row(signal, path), sole=signal.sole), Stage.TRANSFERRED, path)
        cell.declared["transfer"] = "softmax"
        return Signal(cell)


@dataclass(frozen=True, kw_only=True)
class Reduce(Layer):
    """A pool: it opens a population. `wiring` depends on the size of the maps; None where it changes nothing."""

    wiring: Callable[[Shape], Wiring | None]

    def lay(self, growth: Growth, signal: Signal, path: str) -> Signal:
        shape = signal.shape
        if len(shape) != 3:
            raise Refusal(f"a pool reads maps [channels, height, width] (got {list(shape)})")
        wiring = self.wiring(shape)
        if wiring is None:
            return signal
        return Signal(growth.open(path, laid(wiring, shape), Afferent(signal.cell, wiring)))


@dataclass(frozen=True, kw_only=True)
class Row(Layer):
    """Flatten: the same neurons in one row."""

    def lay(self, growth: Growth, signal: Signal, path: str) -> Signal:
        return Signal(signal.cell, len(signal.cell.shape) > 1, signal.sole)


@dataclass(frozen=True, kw_only=True)
class Nothing(Layer):
    """What leaves everything as it is."""

    def lay(self, growth: Growth, signal: Signal, path: str) -> Signal:
        return signal


def _channelwise(growth: Growth, signal: Signal, channels: int, stage: Stage, path: str) -> Cell:
    """The population that takes on what has one number a channel. Raises Refusal where their numbers differ."""
    if signal.shape[0] != channels:
        raise Refusal(f"it expects {channels} channels (got a signal of shape {list(signal.shape)})")
    row = growth.row(signal, path)
    return growth.reaching(Signal(row, sole=signal.sole or row is not signal.cell), stage, path)


def laid(wiring: Wiring, source: Shape) -> Shape:
    """The shape that a wiring makes of its source's. Raises Refusal where it does not fit."""
    try:
        return wiring.target_shape(source)
    except WiringError as error:
        raise Refusal(str(error)) from None
