"""The network `nets.PLAIN` and its learning by hand, in NumPy: an oracle that shares nothing with the package.

image [2, 5, 5] -> conv 3x3 -> v1 (tanh) -> conv 3x3, stride 2 -> v2 (softplus) -> dense -> h (sigmoid) -> dense ->
answer (softmax, cross-entropy). Plain gradient steps on W and b with decay of W, from the errors that a learning system
brings to the hidden populations.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
C1, C2, D3, D4 = "image->v1", "v1->v2", "v2->h", "h->answer"


def _windows(x: Array, ky: int, kx: int, stride: int) -> Array:
    """What tap (ky, kx) of a 3x3 kernel sees of a map with a border of zeros."""
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    high, wide = (-(-side // stride) for side in x.shape[2:])
    return padded[:, :, ky : ky + stride * high : stride, kx : kx + stride * wide : stride]


def conv(x: Array, w: Array, stride: int) -> Array:
    return sum(np.einsum("oi,nihw->nohw", w[:, :, ky, kx], _windows(x, ky, kx, stride)) for ky, kx in np.ndindex(3, 3))


def conv_back(d: Array, w: Array, stride: int, side: int) -> Array:
    padded = np.zeros((len(d), w.shape[1], side + 2, side + 2))
    high, wide = d.shape[2:]
    for ky, kx in np.ndindex(3, 3):
        sent = np.einsum("oi,nohw->nihw", w[:, :, ky, kx], d)
        padded[:, :, ky : ky + stride * high : stride, kx : kx + stride * wide : stride] += sent
    return padded[:, :, 1:-1, 1:-1]


def conv_product(x: Array, d: Array, stride: int) -> Array:
    """Sum over samples and positions of d times x, in the kernel's shape."""
    taps = [np.einsum("nohw,nihw->oi", d, _windows(x, ky, kx, stride)) for ky, kx in np.ndindex(3, 3)]
    return np.stack(taps, axis=-1).reshape(d.shape[1], x.shape[1], 3, 3)


def sigmoid(u: Array) -> Array:
    return 1 / (1 + np.exp(-u))


@dataclass
class Activity:
    """Rates y and slopes s of the hidden populations; the output's error."""

    image: Array
    y: dict[str, Array]
    s: dict[str, Array]
    error: Array


class ByHand:
    """Weights `w` and biases `b` as a simulator starts with them."""

    def __init__(self, sim: Any, *, rate: float, decay: float) -> None:
        self.w: dict[str, Array] = {
            label: sim.get_state(f"weights/{label}").astype(float) for label in (C1, C2, D3, D4)
        }
        self.b: dict[str, Array] = {name: sim.biases[name] for name in ("v1", "v2", "h", "answer")}
        self.rate, self.decay = rate, decay

    def forward(self, image: Array, digits: NDArray[np.int64]) -> Activity:
        u1 = conv(image, self.w[C1], 1) + self.b["v1"][:, None, None]
        y1 = np.tanh(u1)
        u2 = conv(y1, self.w[C2], 2) + self.b["v2"][:, None, None]
        y2 = np.log1p(np.exp(u2))
        u3 = y2.reshape(len(y2), -1) @ self.w[D3].T + self.b["h"]
        y3 = sigmoid(u3)
        logits = y3 @ self.w[D4].T + self.b["answer"]
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        error = odds / odds.sum(axis=1, keepdims=True) - np.eye(3)[digits]
        slopes = {"v1": 1 - y1**2, "v2": sigmoid(u2), "h": y3 * (1 - y3)}
        return Activity(image, {"v1": y1, "v2": y2, "h": y3}, slopes, error)

    def down_the_chain(self, at: Activity, b: Mapping[str, Array]) -> dict[str, Array]:
        """Errors at the somas, brought by reverses with weights b, layer by layer."""
        h = at.error @ b[D4] * at.s["h"]
        v2 = (h @ b[D3]).reshape(at.y["v2"].shape) * at.s["v2"]
        v1 = conv_back(v2, b[C2], 2, at.y["v1"].shape[2]) * at.s["v1"]
        return {"v1": v1, "v2": v2, "h": h}

    def straight(self, at: Activity, sent: Array, b: Mapping[str, Array]) -> dict[str, Array]:
        """Errors at the somas, brought straight from what is `sent`, by one weight a neuron or a channel."""
        found = {}
        for name, slope in at.s.items():
            brought = sent @ b[name].T
            a_neuron = brought.size == slope.size
            found[name] = slope * (brought.reshape(slope.shape) if a_neuron else brought[:, :, None, None])
        return found

    def learn(self, at: Activity, d: Mapping[str, Array]) -> None:
        """W <- W - rate (delta y + decay W), b <- b - rate delta: means over samples, sums over positions."""
        count = len(at.image)
        products = {
            C1: conv_product(at.image, d["v1"], 1),
            C2: conv_product(at.y["v1"], d["v2"], 2),
            D3: d["h"].T @ at.y["v2"].reshape(count, -1),
            D4: at.error.T @ at.y["h"],
        }
        for label, product in products.items():
            self.w[label] = self.w[label] - self.rate * (product / count + self.decay * self.w[label])
        for name, delta in {**d, "answer": at.error}.items():
            self.b[name] = self.b[name] - self.rate * delta.sum(axis=tuple(range(2, delta.ndim))).mean(axis=0)


def agree(sim: Any, hand: ByHand, tolerance: float = 1e-10) -> None:
    """The simulator's forward weights and biases are those of the oracle."""
    for label, w in hand.w.items():
        np.testing.assert_allclose(sim.weights[label], w, rtol=0, atol=tolerance, err_msg=label)
    for name, b in hand.b.items():
        np.testing.assert_allclose(sim.biases[name], b, rtol=0, atol=tolerance, err_msg=name)
