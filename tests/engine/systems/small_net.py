"""A small dense network as NumPy loops, with both streams and plain SGD: what learning systems are compared with.

It shares nothing with the package: every system's rules are written again, as arithmetic, in its test.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

import counterstream as cs
from counterstream.engine.simulator import Simulator

Array = NDArray[np.float64]

NET = """
name: small
populations:
  x: {input: 5}
  h: {transfer: tanh}
  k: {transfer: relu}
  y: {transfer: softmax}
projections:
  - {name: w1, from: x, to: h, wiring: {dense: {size: 6}}}
  - {name: w2, from: h, to: k, wiring: {dense: {size: 4}}}
  - {name: w3, from: k, to: y, wiring: {dense: {size: 3}}}
"""
RATE, MOMENTUM, DECAY = 0.05, 0.9, 0.03
SAMPLES = 7


def batch(step: int) -> tuple[Array, NDArray[np.int64]]:
    random = np.random.default_rng(step)
    return random.normal(size=(SAMPLES, 5)), random.integers(0, 3, SAMPLES)


def compiled(learning: str, engine: str, net: str = NET, **parameters: float) -> Simulator:
    circuit = cs.loads(net, learning=learning, parameters={"decay": DECAY, **parameters})
    how = cs.Consolidation(rate=RATE, momentum=MOMENTUM)
    return cs.compile(circuit, engine=engine, dtype="float64", seed=3, consolidation=how)


@dataclass
class Activity:
    """One pass through the network: input, somas, rates, and the error at each soma. `x` stands for the rate of x."""

    x: Array
    soma: dict[str, Array] = field(default_factory=dict)
    rate: dict[str, Array] = field(default_factory=dict)
    delta: dict[str, Array] = field(default_factory=dict)
    loss: Array = field(default_factory=lambda: np.zeros(0))

    @property
    def below(self) -> dict[str, Array]:
        """What each layer of weights listens to."""
        return {"1": self.x, "2": self.rate["h"], "3": self.rate["k"]}

    @property
    def above(self) -> dict[str, Array]:
        """The error at the neurons that each layer of weights drives."""
        return {"1": self.delta["h"], "2": self.delta["k"], "3": self.delta["y"]}


class ByHand:
    """Weights w1, w2, w3, biases h, k, y, and feedback weights b2, b3 in the layout of w2 and w3."""

    def __init__(self, sim: Simulator) -> None:
        self.w = {layer: sim.weights[f"w{layer}"].astype(np.float64) for layer in "123"}
        self.b = {layer: sim.weights[f"w{layer}~"] for layer in "23"} if "w2~" in sim.weights else {}
        self.bias = {name: sim.biases[name] for name in ("h", "k", "y")}
        self.trace: dict[str, Array] = {}

    def forward(self, x: Array, labels: NDArray[np.int64], noise: Mapping[str, Array] | None = None) -> Activity:
        seen, noise = Activity(x), noise or {}
        lower = x
        transfers: dict[str, Callable[[Array], Array]] = {
            "h": np.tanh,
            "k": lambda z: z * (z > 0),
            "y": lambda z: np.exp(z) / np.exp(z).sum(axis=1, keepdims=True),
        }
        for layer, (name, transfer) in zip("123", transfers.items(), strict=True):
            seen.soma[name] = lower @ self.w[layer].T + noise.get(name, 0.0)
            seen.rate[name] = lower = transfer(seen.soma[name] + self.bias[name])
        seen.loss = -np.log(lower[np.arange(len(x)), labels])
        if self.b:
            self.backward(seen, labels)
        return seen

    def backward(self, seen: Activity, labels: NDArray[np.int64]) -> None:
        seen.delta["y"] = seen.rate["y"] - np.eye(3)[labels]
        seen.delta["k"] = (seen.delta["y"] @ self.b["3"]) * (seen.soma["k"] + self.bias["k"] > 0)
        seen.delta["h"] = (seen.delta["k"] @ self.b["2"]) * (1 - seen.rate["h"] ** 2)

    def learn(self, w: Mapping[str, Array], bias: Mapping[str, Array], decay: float = DECAY) -> None:
        """Forward weights and biases take up their drives, by SGD with momentum."""
        for layer, drive in w.items():
            self.w[layer] = self.w[layer] + self._step(f"w{layer}", drive - decay * self.w[layer])
        for name, drive in bias.items():
            self.bias[name] = self.bias[name] + self._step(name, drive)

    def descend(self, seen: Activity) -> None:
        """Learn as every system with feedback does: minus error times activity."""
        w = {layer: -outer(seen.above[layer], seen.below[layer]) for layer in "123"}
        self.learn(w, {name: -seen.delta[name].mean(axis=0) for name in "hky"})

    def _step(self, name: str, drive: Array) -> Array:
        self.trace[name] = MOMENTUM * self.trace.get(name, np.zeros_like(drive)) + drive
        return RATE * self.trace[name]

    def agree(self, sim: Simulator) -> None:
        """Every weight and bias is the simulator's."""
        for layer, value in self.w.items():
            np.testing.assert_allclose(sim.weights[f"w{layer}"], value, rtol=0, atol=1e-10)
        for layer, value in self.b.items():
            np.testing.assert_allclose(sim.weights[f"w{layer}~"], value, rtol=0, atol=1e-10)
        for name, value in self.bias.items():
            np.testing.assert_allclose(sim.biases[name], value, rtol=0, atol=1e-10)


def outer(above: Array, below: Array) -> Array:
    """The mean over the batch of above times below, in the weights' layout (out, in)."""
    total = np.zeros((above.shape[1], below.shape[1]))
    for sample in range(len(above)):
        for i in range(above.shape[1]):
            for j in range(below.shape[1]):
                total[i, j] += above[sample, i] * below[sample, j]
    return total / len(above)
