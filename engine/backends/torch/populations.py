"""Biases, normalization, transfer, gate, loss and the means over a batch as aten calls."""

from collections.abc import Callable
from types import MappingProxyType

import torch
from torch import fx

from ...compiler.program import Value
from .lowering import Lowering, Rule
from .wirings import PROJECT

aten = torch.ops.aten
Node = fx.Node

# Beyond it aten takes x for softplus(x). The default, 20, is off by 2e-9; at 40 rounding hides the rest.
_SOFTPLUS_LINEAR = 40


def _over_positions(low: Lowering, v: Node, rank: int) -> Node:
    """One number a channel, shaped to meet a value whose shape has `rank` axes: channels, then positions."""
    return v if rank == 1 else low.reshape(v, -1, *(1,) * (rank - 1))


def offset(low: Lowering, value: Value, x: Node, v: Node) -> Node:
    """Added by the projection itself where x is nothing but one projection's current that nobody else reads."""
    source, by = (low.program.values[i] for i in value.inputs)
    if by.batched:
        shaped = low.reshape(v, -1, by.shape[0], *(1,) * (len(value.shape) - 1))
        return low.call(torch.add, x, shaped)
    if source.operation == "project" and low.read_once(value.inputs[0]):
        geometry = source["geometry"]
        one_row_a_channel = geometry.weight_shape is not None and geometry.weight_shape[0] == by.shape[0]
        if one_row_a_channel:
            operands = [low.operand(source, i) for i in source.inputs]
            return PROJECT[geometry.wiring.kind](low, geometry, *operands, v)
    return low.call(torch.add, x, _over_positions(low, v, len(value.shape)))


# ---- batch normalization


def normalize(low: Lowering, value: Value, *operands: Node) -> tuple[Node, ...]:
    """The functional form: the plain one changes the running statistics in place."""
    whole = low.call(
        aten._native_batch_norm_legit_functional.default, *operands, True, value["momentum"], value["epsilon"]
    )
    return tuple(low.item(whole, index) for index in range(5))


def normalize_fixed(
    low: Lowering, value: Value, soma: Node, gain: Node, bias: Node, mean: Node, variance: Node
) -> Node:
    whole = low.call(
        aten._native_batch_norm_legit_no_training.default,
        soma,
        gain,
        bias,
        mean,
        variance,
        0.0,
        value["epsilon"],
    )
    return low.item(whole, 0)


def standardize(low: Lowering, value: Value, soma: Node, mean: Node, deviation: Node) -> Node:
    rank = len(value.shape)
    centred = low.call(torch.sub, soma, _over_positions(low, mean, rank))
    drive = low.call(torch.mul, centred, _over_positions(low, deviation, rank))
    return low.cast(drive, low.precision.master, low.format)  # sums and products with master values are master


def normalize_back(
    low: Lowering, value: Value, gated: Node, soma: Node, gain: Node, mean: Node, deviation: Node
) -> tuple[Node, ...]:
    mask = [index in low.parts_read() for index in range(3)]
    unread = 0.0  # epsilon: in training, `deviation` holds it already
    whole = low.call(
        aten.native_batch_norm_backward.default,
        gated, soma, gain, None, None, mean, deviation, True, unread, mask,
    )  # fmt: skip
    error, along, level = (low.item(whole, index) for index in range(3))
    return error, low.mean_of_sum(along, soma), low.mean_of_sum(level, soma)


# ---- transfer and gate

TRANSFERS: dict[str, Callable[[Lowering, Node], Node]] = {
    "linear": lambda low, x: x,
    "relu": lambda low, x: low.call(torch.relu, x),
    "relu6": lambda low, x: low.call(aten.hardtanh.default, x, 0, 6),
    "tanh": lambda low, x: low.call(torch.tanh, x),
    "sigmoid": lambda low, x: low.call(torch.sigmoid, x),
    "gelu": lambda low, x: low.call(aten.gelu.default, x),
    "silu": lambda low, x: low.call(aten.silu.default, x),
    "hardswish": lambda low, x: low.call(aten.hardswish.default, x),
    "softplus": lambda low, x: low.call(aten.softplus.default, x, 1, _SOFTPLUS_LINEAR),
    "softmax": lambda low, x: low.call(aten._softmax.default, x, 1, False),
}

# (error, x, y = phi(x)); where y is enough, x need not be kept
GATES: dict[str, Callable[[Lowering, Node, Node, Node], Node]] = {
    "linear": lambda low, error, x, y: error,
    "relu": lambda low, error, x, y: low.call(aten.threshold_backward.default, error, y, 0),
    "relu6": lambda low, error, x, y: low.call(aten.hardtanh_backward.default, error, y, 0, 6),
    "tanh": lambda low, error, x, y: low.call(aten.tanh_backward.default, error, y),
    "sigmoid": lambda low, error, x, y: low.call(aten.sigmoid_backward.default, error, y),
    "gelu": lambda low, error, x, y: low.call(aten.gelu_backward.default, error, x),
    "silu": lambda low, error, x, y: low.call(aten.silu_backward.default, error, x),
    "hardswish": lambda low, error, x, y: low.call(aten.hardswish_backward.default, error, x),
    "softplus": lambda low, error, x, y: low.call(aten.softplus_backward.default, error, x, 1, _SOFTPLUS_LINEAR),
}


def transfer(low: Lowering, value: Value, x: Node) -> Node:
    return TRANSFERS[value["function"]](low, x)


def gate(low: Lowering, value: Value, error: Node, x: Node, rate: Node) -> Node:
    return GATES[value["function"]](low, error, x, rate)


# ---- outputs


def ones(low: Lowering, value: Value, like: Node) -> Node:
    return low.call(aten.ones.default, [low.batch(like), *value.shape], dtype=low.format, device=low.device)


def _code_of_class(low: Lowering, label: Node, classes: int, dtype: torch.dtype) -> Node:
    numbers = low.call(aten.arange.default, classes, device=low.device)
    equal = low.call(aten.eq.Tensor, low.call(aten.unsqueeze.default, label, 1), numbers)
    return low.call(aten._to_copy.default, equal, dtype=dtype)


def one_hot(low: Lowering, value: Value, label: Node) -> Node:
    return _code_of_class(low, label, value.shape[0], low.format)


def _is_class(low: Lowering, value: Value) -> bool:
    """Whether the label is one integer a sample, not a code in the output's shape."""
    return low.program.values[value.inputs[1]].shape == ()


def _code(low: Lowering, value: Value, label: Node) -> Node:
    classes = low.program.values[value.inputs[0]].shape[0]
    return _code_of_class(low, label, classes, low.precision.master) if _is_class(low, value) else label


ANSWERS = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid", "squared": "linear"}


def error(low: Lowering, value: Value, x: Node, label: Node) -> Node:
    answer = TRANSFERS[ANSWERS[value["loss"]]](low, x)
    difference = low.call(torch.sub, answer, _code(low, value, label))
    return low.cast(difference, low.precision.master, low.format)


def _cross_entropy(low: Lowering, value: Value, x: Node, label: Node) -> Node:
    logarithm = low.call(aten._log_softmax.default, x, 1, False)
    if _is_class(low, value):
        logarithm = low.call(aten.gather.default, logarithm, 1, low.call(aten.unsqueeze.default, label, 1))
    else:
        logarithm = low.call(torch.mul, logarithm, label)
    return low.call(aten.neg.default, low.call(aten.sum.default, logarithm))


def _binary_cross_entropy(low: Lowering, value: Value, x: Node, label: Node) -> Node:
    summed = 2  # aten's Reduction enumeration
    code = _code(low, value, label)
    return low.call(aten.binary_cross_entropy_with_logits.default, x, code, None, None, summed)


def _squared(low: Lowering, value: Value, x: Node, label: Node) -> Node:
    summed = 2
    distance = low.call(aten.mse_loss.default, x, _code(low, value, label), summed)
    return low.call(torch.mul, distance, 0.5)


LOSSES: dict[str, Callable[..., Node]] = {
    "cross_entropy": _cross_entropy,
    "binary_cross_entropy": _binary_cross_entropy,
    "squared": _squared,
}


def loss(low: Lowering, value: Value, x: Node, label: Node) -> Node:
    return low.mean_of_sum(LOSSES[value["loss"]](low, value, x, label), x)


def accuracy(low: Lowering, value: Value, x: Node, label: Node) -> Node:
    truth = label if _is_class(low, value) else low.call(aten.argmax.default, label, 1)
    hit = low.call(aten.eq.Tensor, low.call(aten.argmax.default, x, 1), truth)
    return low.call(aten.mean.default, hit, dtype=low.format)


def batch_mean(low: Lowering, value: Value, x: Node) -> Node:
    rank = len(low.program.values[value.inputs[0]].shape)
    positions = list(range(2, rank + 1))
    match value["positions"]:
        case "mean":
            return low.call(aten.mean.dim, x, [0, *positions], dtype=low.format)
        case "sum" if positions:
            return low.mean_of_sum(low.call(aten.sum.dim_IntList, x, [0, *positions], dtype=low.format), x)
        case _:
            return low.call(aten.mean.dim, x, [0], dtype=low.format)


def samples(low: Lowering, value: Value, like: Node) -> Node:
    return low.call(aten.full.default, [], low.batch(like), dtype=low.format, device=low.device)


RULES: MappingProxyType[str, Rule] = MappingProxyType(
    {
        "offset": offset,
        "normalize": normalize,
        "normalize_fixed": normalize_fixed,
        "standardize": standardize,
        "normalize_back": normalize_back,
        "transfer": transfer,
        "gate": gate,
        "ones": ones,
        "one_hot": one_hot,
        "error": error,
        "loss": loss,
        "accuracy": accuracy,
        "batch_mean": batch_mean,
        "samples": samples,
    }
)
