"""Rules of every form on every wiring that learns, and what they come to, one synapse after the other."""

from collections.abc import Callable
from itertools import product

import numpy as np
from numpy.typing import NDArray

from ...circuits.wiring import Geometry
from .loops import counts, current, drive, every

Array = NDArray[np.float64]
WIRINGS = {
    "dense": "{dense: {size: 4}}",
    "dense onto maps": "{dense: {}}",
    "shared": "{dense: {shared: true}}",
    "conv": "{conv: {channels: 4, kernel: 3}}",
    "odd conv": "{conv: {channels: 4, kernel: [3, 2], stride: [2, 1], padding: [2, 1], dilation: [1, 2], groups: 2}}",
    "3x3 on 1x1": "{conv: {channels: 4, kernel: 3, stride: 5}}",
}
"""From a source of 2 x 3 x 4. The last one has a single position: eight of nine taps see nothing."""


def exp(x: Array) -> Array:
    return np.exp(x)


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


# rule -> the drive of one synapse, from (pre.rate, post.rate, post.soma, w): terms that read a neuron
OF_SYNAPSE: dict[str, Callable[..., Array]] = {
    "post.rate * pre.rate": lambda x, y, u, w: y * x,
    "-pre.rate * post.soma / 2": lambda x, y, u, w: -x * u / 2,
    "post.rate * (pre.rate - post.rate * w)": lambda x, y, u, w: y * (x - y * w),
    "exp(pre.rate) * post.soma": lambda x, y, u, w: exp(x) * u,
    "(1 + pre.rate) * (2 - post.rate) - 2": lambda x, y, u, w: 2 * x - y - x * y,
    "sigmoid(pre.rate) * sigmoid(post.rate) * w**2": lambda x, y, u, w: sigmoid(x) * sigmoid(y) * w**2,
    "post.rate": lambda x, y, u, w: y,
    "pre.rate**2 * w": lambda x, y, u, w: x**2 * w,
}
# terms in w alone
ALONE: dict[str, Callable[[Array], Array]] = {
    "-decay * w": lambda w: -0.1 * w,
    "abs(w) - w**3": lambda w: np.abs(w) - w**3,
    "0.25": lambda w: np.full_like(w, 0.25),
    "exp(w) - 3 * w": lambda w: exp(w) - 3 * w,
}
# third factors, one a sample
MODULATED = "mod.reward * (post.rate * pre.rate - 0.5 * w)"
REWARD = np.array([1.0, -2.0, 0.5])
RULES = tuple(product((*OF_SYNAPSE, *ALONE, MODULATED), ("sum", "mean")))


def expected_drive(rule: str, positions: str, geometry: Geometry, w: Array, data: Array) -> Array:
    """What one synapse after the other comes to."""
    if rule in ALONE:
        return np.where(counts(geometry) > 0, ALONE[rule](w), 0.0)
    soma = current(geometry, w, data)
    rate = np.tanh(soma)
    if rule == MODULATED:
        hebb = drive(geometry, lambda k, low, up: REWARD * rate[every(up)] * data[every(low)], positions)
        return hebb + np.where(counts(geometry) > 0, -0.5 * REWARD.mean() * w, 0.0)
    of_synapse = OF_SYNAPSE[rule]
    return drive(
        geometry,
        lambda k, low, up: of_synapse(data[every(low)], rate[every(up)], soma[every(up)], w[k]),
        positions,
    )


CHAIN = """
populations:
  image: {input: [2, 3, 3]}
  left: {transfer: tanh, bias: false}
  right: {transfer: tanh, bias: false}
  top: {shape: [2, 2, 2], transfer: tanh, bias: false}
projections:
  - {name: l, from: image, to: left, wiring: {conv: {channels: 3, kernel: 3}}}
  - {name: r, from: image, to: right, wiring: {conv: {channels: 3, kernel: 3}}}
  - {name: lt, from: left, to: top, wiring: {conv: {channels: 2, kernel: 2, padding: 0}}}
  - {name: rt, from: right, to: top, wiring: {conv: {channels: 2, kernel: 2, padding: 0}}}
  - {name: dense, from: image, to: top, wiring: {dense: {}}}
learning:
  name: hebb
  feedback: {pathway: none}
  modes: {engaged: {forward: "post.rate * pre.rate - 0.1 * w"}}
"""
"""Two convolutions side by side, then three projections into one sum; all learn by Hebb's rule."""
