"""The elementwise operations as torch calls. A sum takes a scaled term or a product in: a pass over memory less.

Here and wherever `torch.f` is the same as `aten.f`, the former stands: called eagerly it takes half the time
(1.1 against 2.2 microseconds), which is most of the time where a circuit is small.
"""

import operator
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import torch
from torch import fx

from ...compiler.program import Value
from .lowering import Lowering, Rule

aten = torch.ops.aten
Node = fx.Node


def _met(low: Lowering, value: Value, index: int) -> Node:
    """Operand `index` of the program; one number a sample, (N,), becomes (N, 1, ..., 1) to meet all of its neurons."""
    operand, node = low.program.values[index], low.operand(value, index)
    assert isinstance(node, fx.Node)
    if operand.batched and operand.shape == () and value.shape:
        return low.reshape(node, -1, *(1,) * len(value.shape))
    return node


def _of_two(target: Callable[..., Any]) -> Rule:
    def rule(low: Lowering, value: Value, *_: Node) -> Node:
        return low.call(target, *(_met(low, value, index) for index in value.inputs))

    return rule


def _of_one(target: Callable[..., Any], attribute: str) -> Rule:
    return lambda low, value, a: low.call(target, a, value[attribute])


def add(low: Lowering, value: Value, *_: Node) -> Node:
    """a + b; with b = c y as one call, and with b = y z or c y z that only this sum reads as one call too."""
    for kept, taken in (value.inputs, value.inputs[::-1]):
        factor, inner = 1.0, taken
        if low.program.values[inner].operation == "scale":
            factor, (inner,) = low.program.values[inner]["factor"], low.program.values[inner].inputs
        product = low.program.values[inner]
        read_here_only = low.read_once(inner) and low.read_once(taken)
        if product.operation == "multiply" and read_here_only and low.program.values[kept].shape == value.shape:
            terms = (_met(low, value, index) for index in product.inputs)
            return low.call(torch.addcmul, _met(low, value, kept), *terms, value=factor)
        if inner != taken:
            return low.call(torch.add, _met(low, value, kept), _met(low, value, inner), alpha=factor)
    return low.call(torch.add, *(_met(low, value, index) for index in value.inputs))


def scale(low: Lowering, value: Value, a: Node) -> Node:
    """A correlation is scaled and divided by the batch in one pass; the division by itself is dropped."""
    (index,) = value.inputs
    if low.program.values[index].operation == "correlate" and low.read_once(index):
        total, batch = a.args
        return low.call(torch.mul, total, low.call(operator.truediv, value["factor"], batch), out=total)
    return low.call(torch.mul, a, value["factor"])


def _step(low: Lowering, x: Node) -> Node:
    return low.call(aten._to_copy.default, low.call(torch.gt, x, 0), dtype=low.format)


FUNCTIONS: dict[str, Callable[[Lowering, Node], Node]] = {
    "relu": lambda low, x: low.call(torch.relu, x),
    "sign": lambda low, x: low.call(torch.sign, x),
    "abs": lambda low, x: low.call(torch.abs, x),
    "exp": lambda low, x: low.call(torch.exp, x),
    "tanh": lambda low, x: low.call(torch.tanh, x),
    "sigmoid": lambda low, x: low.call(torch.sigmoid, x),
    "sqrt": lambda low, x: low.call(torch.sqrt, x),
    "step": _step,
}


def function(low: Lowering, value: Value, a: Node) -> Node:
    return FUNCTIONS[value["name"]](low, a)


RULES: MappingProxyType[str, Rule] = MappingProxyType(
    {
        "add": add,
        "multiply": _of_two(torch.mul),
        "divide": _of_two(torch.div),
        "scale": scale,
        "shift": _of_one(torch.add, "amount"),
        "power": _of_one(torch.pow, "exponent"),
        "function": function,
    }
)
