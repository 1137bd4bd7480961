"""What must hold of weights, where shapes are known: bounds, number, ties."""

from collections.abc import Iterator, Mapping
from math import prod

from ..errors import Problem
from ..wiring import MAXIMAL_WEIGHTS, Geometry, Shape
from .bounds import check_bounds
from .declared import Declared
from .ties import check_tied_shape


def check_weights(
    declared: Declared, shapes: Mapping[str, Shape], geometries: Mapping[str, Geometry]
) -> Iterator[Problem]:
    """What is wrong with the weights of projections that could be laid between their ends."""
    for label, geometry in geometries.items():
        yield from check_bounds(declared, label, shapes, geometries)
        weights = geometry.weight_shape
        if weights and prod(weights) > MAXIMAL_WEIGHTS:
            message = f"'{label}' has more than {MAXIMAL_WEIGHTS} weights {list(weights)}"
            yield declared.problem(message, *declared.places[label])
        yield from check_tied_shape(declared, label, geometries)
