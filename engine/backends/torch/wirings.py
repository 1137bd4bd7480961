"""project, project_back, correlate and per_tap as aten calls.

`aten.convolution_backward` gives the way back from a kernel and an upper signal, and the correlation from a
lower activity and an upper signal. Neither reads what the other needs, so one call yields both, with B for
the one and the forward activity for the other, whether or not B has anything to do with W.
"""

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import torch
from torch import fx

from ....circuits.wiring import Conv, Dense, Flatten, Geometry, OneToOne, Pool
from ...compiler.program import Value
from .lowering import Lowering, Rule

aten = torch.ops.aten
Node = fx.Node


# ---- conv


def _conv_settings(geometry: Geometry) -> tuple[Any, ...]:
    """stride, padding, dilation, transposed, output padding, groups: as aten's convolutions take them."""
    conv: Conv = geometry.wiring  # type: ignore[assignment]
    return list(conv.stride), list(conv.pads), list(conv.dilation), False, [0, 0], conv.groups


def conv_project(low: Lowering, geometry: Geometry, pre: Node, weight: Node, bias: Node | None = None) -> Node:
    return low.call(torch.convolution, pre, weight, bias, *_conv_settings(geometry))


def _conv_backward(
    low: Lowering, geometry: Geometry, upper: Node, lower: Node | None, weight: Node | None
) -> tuple[Node, Node]:
    """(way back, summed correlation): the first needs `weight`, the second `lower`; what is None is not computed."""
    mask = [weight is not None, lower is not None, False]
    assert geometry.weight_shape is not None
    if lower is None:
        lower = low.stand_in([low.batch(upper), *geometry.lower])
    if weight is None:
        weight = low.stand_in(list(geometry.weight_shape))
    both = low.call(aten.convolution_backward.default, upper, lower, weight, None, *_conv_settings(geometry), mask)
    return low.item(both, 0), low.item(both, 1)


def _partner(low: Lowering) -> Value | None:
    """For a way back, the correlation that one call can yield with it, and the other way round.

    The two share upper signal and geometry, and everything that either reads is there before both.
    """
    values, asked = low.program.values, low.program.values[low.index]
    upper = asked.inputs[0 if asked.operation == "project_back" else 1]
    alike = [
        reader for reader in low.readers[upper] if dict(values[reader].attributes).get("geometry") == asked["geometry"]
    ]
    backs = [i for i in alike if values[i].operation == "project_back" and values[i].inputs[0] == upper]
    correlations = [i for i in alike if values[i].operation == "correlate" and values[i].inputs[1] == upper]
    for back, correlation in zip(backs, correlations, strict=False):
        operands = (*values[back].inputs, *values[correlation].inputs)
        if low.index in (back, correlation) and max(operands) < min(back, correlation):
            return values[correlation if low.index == back else back]
    return None


def conv_project_back(low: Lowering, geometry: Geometry, upper: Node, weight: Node) -> Node:
    partner = _partner(low)
    lower = None if partner is None else low.operand(partner, partner.inputs[0])
    return _conv_backward(low, geometry, upper, lower, weight)[0]


def conv_correlate(low: Lowering, geometry: Geometry, lower: Node, upper: Node) -> Node:
    partner = _partner(low)
    weight = None if partner is None else low.operand(partner, partner.inputs[1])
    total = _conv_backward(low, geometry, upper, lower, weight)[1]
    if geometry.unseen is None or low.precision.compute != torch.bfloat16:
        return total
    # oneDNN's kernels for bfloat16 leave these weights as they found the memory (torch 2.14).
    unseen = low.call(torch.tensor, geometry.unseen.ravel().tolist(), dtype=torch.bool, device=low.device)
    return low.call(aten.masked_fill.Scalar, total, low.reshape(unseen, *geometry.unseen.shape), 0.0)


# ---- dense


def _rows(low: Lowering, x: Node, shape: tuple[int, ...]) -> Node:
    if shape == ():  # one neuron, one number a sample
        return low.reshape(x, -1, 1)
    return x if len(shape) == 1 else low.call(torch.flatten, x, 1)


def _is_shared(geometry: Geometry) -> bool:
    dense: Dense = geometry.wiring  # type: ignore[assignment]
    return dense.shared and len(geometry.upper) == 3


def _upper_rows(low: Lowering, geometry: Geometry, upper: Node) -> Node:
    if _is_shared(geometry):
        return low.call(aten.sum.dim_IntList, upper, [2, 3])
    return _rows(low, upper, geometry.upper)


def dense_project(low: Lowering, geometry: Geometry, pre: Node, weight: Node, bias: Node | None = None) -> Node:
    current = low.call(torch.nn.functional.linear, _rows(low, pre, geometry.lower), weight, bias)
    if _is_shared(geometry):
        channels = low.reshape(current, -1, geometry.upper[0], 1, 1)
        spread = low.call(aten.expand.default, channels, [-1, *geometry.upper])
        # It has no memory of its own yet, and so no layout: convolutions would make one, each for itself.
        return low.call(aten.clone.default, spread, memory_format=torch.channels_last)
    return current if len(geometry.upper) == 1 else low.reshape(current, -1, *geometry.upper)


def dense_project_back(low: Lowering, geometry: Geometry, upper: Node, weight: Node) -> Node:
    lower = low.call(torch.mm, _upper_rows(low, geometry, upper), weight)
    return lower if len(geometry.lower) == 1 else low.reshape(lower, -1, *geometry.lower)


def dense_correlate(low: Lowering, geometry: Geometry, lower: Node, upper: Node) -> Node:
    columns = low.call(torch.t, _upper_rows(low, geometry, upper))
    return low.call(torch.mm, columns, _rows(low, lower, geometry.lower))


# ---- pool


def _is_global(geometry: Geometry) -> bool:
    """An average of the whole map, which is a mean and needs no windows."""
    pool: Pool = geometry.wiring  # type: ignore[assignment]
    if pool.to is not None:
        return pool.to == (1, 1)
    size, _ = pool.window(geometry.lower)
    return pool.over == "average" and size == geometry.lower[1:] and pool.padding == (0, 0)


def _window(geometry: Geometry) -> tuple[Any, ...]:
    """size, stride, padding: as aten's pools take them."""
    pool: Pool = geometry.wiring  # type: ignore[assignment]
    size, stride = pool.window(geometry.lower)
    return list(size), list(stride), list(pool.padding)


def _maxima(low: Lowering, geometry: Geometry, lower: Node) -> Node:
    """(maxima, their places). Lowered twice, made once."""
    pool: Pool = geometry.wiring  # type: ignore[assignment]
    return low.call(aten.max_pool2d_with_indices.default, lower, *_window(geometry), [1, 1], pool.ceil)


def pool_project(low: Lowering, geometry: Geometry, pre: Node) -> Node:
    pool: Pool = geometry.wiring  # type: ignore[assignment]
    if pool.over == "max":
        return low.item(_maxima(low, geometry, pre), 0)
    if _is_global(geometry):
        return low.call(aten.mean.dim, pre, [2, 3], True)
    if pool.to is not None:
        return low.call(aten._adaptive_avg_pool2d.default, pre, list(pool.to))
    return low.call(aten.avg_pool2d.default, pre, *_window(geometry), False, True)


def pool_project_back(low: Lowering, geometry: Geometry, upper: Node, lower: Node | None = None) -> Node:
    pool: Pool = geometry.wiring  # type: ignore[assignment]
    if pool.over == "max":
        assert lower is not None, "a max pool reads the lower activity"
        places = low.item(_maxima(low, geometry, lower), 1)
        return low.call(
            aten.max_pool2d_with_indices_backward.default,
            upper, lower, *_window(geometry), [1, 1], pool.ceil, places,
        )  # fmt: skip
    if _is_global(geometry):
        each = low.call(torch.div, upper, geometry.lower[1] * geometry.lower[2])
        return low.call(aten.expand.default, each, [-1, *geometry.lower])
    like = low.stand_in([low.batch(upper), *geometry.lower])
    if pool.to is not None:
        return low.call(aten._adaptive_avg_pool2d_backward.default, upper, like)
    return low.call(aten.avg_pool2d_backward.default, upper, like, *_window(geometry), False, True, None)


# ---- one-to-one and flatten


def _moved(
    low: Lowering,
    x: Node,
    channels: int,
    read: tuple[int, int] | None,
    written: tuple[int, int] | None,
    rank: int,
) -> Node:
    """Channels `read` of x, at the channels `written` of a value that has `channels` of them and is else 0."""
    if read is not None:
        x = low.call(aten.slice.Tensor, x, 1, *read)
    if written is not None and written != (0, channels):
        sides = [0, 0] * (rank - 1) + [written[0], channels - written[1]]
        x = low.call(aten.constant_pad_nd.default, x, sides, 0.0)
    return x


def one_to_one_project(low: Lowering, geometry: Geometry, pre: Node) -> Node:
    wiring: OneToOne = geometry.wiring  # type: ignore[assignment]
    return _moved(low, pre, geometry.upper[0], wiring.source, wiring.target, len(geometry.upper))


def one_to_one_project_back(low: Lowering, geometry: Geometry, upper: Node) -> Node:
    wiring: OneToOne = geometry.wiring  # type: ignore[assignment]
    return _moved(low, upper, geometry.lower[0], wiring.target, wiring.source, len(geometry.lower))


def flatten_project(low: Lowering, geometry: Geometry, pre: Node) -> Node:
    return _rows(low, pre, geometry.lower)


def flatten_project_back(low: Lowering, geometry: Geometry, upper: Node) -> Node:
    return low.reshape(upper, -1, *geometry.lower)


# ---- the operations

PROJECT: dict[str, Callable[..., Node]] = {
    Conv.kind: conv_project, Dense.kind: dense_project, Pool.kind: pool_project,
    OneToOne.kind: one_to_one_project, Flatten.kind: flatten_project,
}  # fmt: skip
PROJECT_BACK: dict[str, Callable[..., Node]] = {
    Conv.kind: conv_project_back, Dense.kind: dense_project_back, Pool.kind: pool_project_back,
    OneToOne.kind: one_to_one_project_back, Flatten.kind: flatten_project_back,
}  # fmt: skip
CORRELATE: dict[str, Callable[..., Node]] = {Conv.kind: conv_correlate, Dense.kind: dense_correlate}


def project(low: Lowering, value: Value, *operands: Node) -> Node:
    return PROJECT[value["geometry"].wiring.kind](low, value["geometry"], *operands)


def project_back(low: Lowering, value: Value, *operands: Node) -> Node:
    return PROJECT_BACK[value["geometry"].wiring.kind](low, value["geometry"], *operands)


def correlate(low: Lowering, value: Value, lower: Node, upper: Node) -> Node:
    """The sum over the batch, divided in its own memory: nothing else reads it, and new memory is dear."""
    total = CORRELATE[value["geometry"].wiring.kind](low, value["geometry"], lower, upper)
    total = low.cast(total, low.precision.compute, low.format)
    return low.call(torch.div, total, low.batch(lower), out=total)


def per_tap(low: Lowering, value: Value, x: Node) -> Node:
    geometry: Geometry = value["geometry"]
    if geometry.tap_counts is None:
        return low.call(torch.div, x, geometry.positions) if value["kind"] == "mean" else x
    factors = [
        float(count > 0) / (max(count, 1) if value["kind"] == "mean" else 1)
        for count in geometry.tap_counts.ravel().tolist()
    ]
    row = low.call(torch.tensor, factors, dtype=low.format, device=low.device)
    return low.call(torch.mul, x, low.reshape(row, *geometry.tap_counts.shape))


WIRINGS = frozenset(PROJECT)
RULES: MappingProxyType[str, Rule] = MappingProxyType(
    {"project": project, "project_back": project_back, "correlate": correlate, "per_tap": per_tap}
)
