"""The elementwise operations as aten calls. A sum takes a scaled term or a product in, which saves a pass over memory."""

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
    operand, node = low.program.values[index], low.nodes[index]
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
            return low.call(aten.addcmul.default, _met(low, value, kept), *terms, value=factor)
        if inner != taken:
            return low.call(aten.add.Tensor, _met(low, value, kept), _met(low, value, inner), alpha=factor)
    return low.call(aten.add.Tensor, *(_met(low, value, index) for index in value.inputs))


def _step(low: Lowering, x: Node) -> Node:
    return low.call(aten._to_copy.default, low.call(aten.gt.Scalar, x, 0), dtype=low.dtype)


FUNCTIONS: dict[str, Callable[[Lowering, Node], Node]] = {
    "step": _step,
    **{
        name: lambda low, x, target=getattr(aten, name).default: low.call(target, x)  # type: ignore[misc]
        for name in ("relu", "sign", "abs", "exp", "tanh", "sigmoid", "sqrt")
    },
}


def function(low: Lowering, value: Value, a: Node) -> Node:
    return FUNCTIONS[value["name"]](low, a)


RULES: MappingProxyType[str, Rule] = MappingProxyType(
    {
        "add": add,
        "multiply": _of_two(aten.mul.Tensor),
        "divide": _of_two(aten.div.Tensor),
        "scale": _of_one(aten.mul.Scalar, "factor"),
        "shift": _of_one(aten.add.Scalar, "amount"),
        "power": _of_one(aten.pow.Tensor_Scalar, "exponent"),
        "function": function,
    }
)
