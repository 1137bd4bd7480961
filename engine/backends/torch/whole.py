"""Operations that make one number of a whole value: lengths and angles."""

from math import degrees
from types import MappingProxyType

import torch
from torch import fx

from ...compiler.program import Value
from .lowering import Lowering, Rule

Node = fx.Node


def norm(low: Lowering, value: Value, x: Node) -> Node:
    return low.call(torch.ops.aten._to_copy.default, _length(low, value.inputs[0], x), dtype=low.format)


def angle(low: Lowering, value: Value, a: Node, b: Node) -> Node:
    """With s = |b| / |a|: 2 atan2(|b - s a| / |b|, |b + s a| / |b|), fewer passes over memory than unit vectors need;
    the division by |b| leaves NaN where that is 0.
    """
    index = value.inputs[0]
    length_a, length_b = _length(low, index, a), _length(low, index, b)
    if a is b:
        straight = low.call(torch.sub, length_a, length_a)
        return _finished(low, low.call(torch.div, straight, length_a))
    scale = low.call(torch.div, length_b, length_a)
    sides = [low.call(torch.addcmul, b, a, scale, value=sign) for sign in (-1, 1)]
    parts = [low.call(torch.div, _length(low, index, side), length_b) for side in sides]
    return _finished(low, low.call(torch.atan2, *parts))


def _finished(low: Lowering, half: Node) -> Node:
    """Twice a half of an angle, in degrees and in the program's format."""
    return low.call(torch.ops.aten._to_copy.default, low.call(torch.mul, half, degrees(2)), dtype=low.format)


def _length(low: Lowering, index: int, x: Node) -> Node:
    """|x| in float64; `index` is the program's value of x's shape.

    First each sample's (or output neuron's) own, then that of all: as exact as float64 throughout to 1e-6, in a
    twentieth of its time (13 million numbers on one core: 7 and 180 ms), where float32 throughout is off by 5e-4.
    """
    value = low.program.values[index]
    axes = list(range(1, len(value.shape) + value.batched))
    rows = low.call(torch.linalg.vector_norm, x, 2, axes) if axes else x
    return low.call(torch.linalg.vector_norm, rows, 2, dtype=torch.float64)


RULES: MappingProxyType[str, Rule] = MappingProxyType({"norm": norm, "angle": angle})
