"""Shapes, wirings and populations in a few words."""

from collections.abc import Iterator

from ..declarations import Population
from ..graph import Graph
from ..wiring import Conv, Dense, Flatten, OneToOne, Pool, Shape, Wiring
from ..wiring.geometry import Geometry

ARROW = "\u2192"
TIMES = "\u00d7"


def shape_text(shape: Shape) -> str:
    """[64, 56, 56] as 64 x 56 x 56."""
    return f" {TIMES} ".join(map(str, shape))


def wiring_parts(geometry: Geometry, *, back: bool = False) -> list[str]:
    """What joins two populations, part by part: 3x3 conv, stride 2, 64 -> 128. Nothing for the identity."""
    wiring = geometry.wiring
    parts = list(_parts(wiring, geometry))
    if wiring.weighted:
        ends = (geometry.upper[0], geometry.lower[0]) if back else (geometry.lower[0], geometry.upper[0])
        if isinstance(wiring, Dense):
            lower, upper = _row(geometry.lower), str(geometry.upper[0]) if wiring.shared else _row(geometry.upper)
            return [*parts, f"{upper} {ARROW} {lower}" if back else f"{lower} {ARROW} {upper}"]
        parts.append(f"{ends[0]} {ARROW} {ends[1]}")
    return parts


def _row(shape: Shape) -> str:
    return str(shape[0]) if len(shape) == 1 or shape[1:] == (1, 1) else shape_text(shape).replace(" ", "")


def _parts(wiring: Wiring, geometry: Geometry) -> Iterator[str]:
    match wiring:
        case Conv():
            yield from _conv(wiring, geometry)
        case Dense():
            yield "dense to channels" if wiring.shared else "dense"
        case Pool():
            yield from _pool(wiring)
        case OneToOne():
            if wiring.source:
                yield f"channels {_range(wiring.source)}"
            if wiring.target:
                yield f"onto channels {_range(wiring.target)}"
        case Flatten():
            yield "flatten"
        case _:
            yield wiring.kind.replace("_", " ")


def _conv(wiring: Conv, geometry: Geometry) -> Iterator[str]:
    yield f"{_sides(wiring.kernel)} conv"
    if wiring.stride != (1, 1):
        yield f"stride {_pair(wiring.stride)}"
    if wiring.dilation != (1, 1):
        yield f"dilation {_pair(wiring.dilation)}"
    if wiring.groups == geometry.lower[0] > 1:
        yield "depthwise"
    elif wiring.groups > 1:
        yield f"{wiring.groups} groups"
    same = tuple((kernel - 1) * dilation / 2 for kernel, dilation in zip(wiring.kernel, wiring.dilation, strict=True))
    if wiring.padding is not None and wiring.padding != same:
        yield f"padding {_pair(wiring.padding)}" if any(wiring.padding) else "no padding"


def _pool(wiring: Pool) -> Iterator[str]:
    if wiring.to is not None:
        yield f"{wiring.over} pool"
        yield f"to {_sides(wiring.to)}"
    elif wiring.size == "global" or wiring.size is None:
        yield f"global {wiring.over} pool"
    else:
        yield f"{_sides(wiring.size)} {wiring.over} pool"
        if wiring.stride is not None and wiring.stride != wiring.size:
            yield f"stride {_pair(wiring.stride)}"


def _sides(pair: tuple[int, int]) -> str:
    return f"{pair[0]}{TIMES}{pair[1]}"


def _pair(pair: tuple[int, int]) -> str:
    return str(pair[0]) if pair[0] == pair[1] else f"{pair[0]}, {pair[1]}"


def _range(channels: tuple[int, int]) -> str:
    start, stop = channels
    return str(start) if stop == start + 1 else f"{start}\u2013{stop - 1}"


def population_text(graph: Graph, name: str) -> str:
    """What a forward population makes of its summed input."""
    population = graph.populations[name]
    if population.is_source:
        target = f"the target of {population.target_of}" if population.target_of else "target: the label\u2019s code"
        return "input" if population.input is not None else target
    fan_in = len({graph.projections[label].source for label in graph.into(name)})
    done = [
        *(["sum"] if fan_in > 1 and population.transfer == "linear" and not population.normalizes else []),
        *(["batch norm"] if population.normalizes else []),
        *([population.transfer] if population.transfer != "linear" else []),
        *([f"dropout {population.dropout:g}"] if population.dropout else []),
    ]
    return ", ".join(done) or "linear"


def loss_text(population: Population) -> str:
    """The loss of an output, or nothing."""
    return f"loss: {population.output_loss.replace('_', ' ')}" if population.output_loss else ""


def error_text(graph: Graph, name: str) -> str:
    """What a feedback population does with the errors that reach it."""
    partner = graph.populations[name].partner
    assert partner is not None
    forward = graph.populations[partner]
    if forward.output_loss:
        outcome = "error: output \u2212 target" if forward.output_loss != "squared" else "error of the loss"
        return outcome
    gated = any(cross.role == "gate" and cross.target == name for cross in graph.circuit.cross)
    done = [
        *([f"{TIMES} {forward.transfer}\u2032"] if gated and forward.transfer != "linear" else []),
        *(["back through norm"] if gated and forward.normalizes else []),
    ]
    return ", ".join(done) or "error"
