"""Weights, activities and whole batches, as arrays of numbers that are small and round."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from ...circuits import Circuit, expand
from ...circuits.graph import build_graph
from ...circuits.wiring import Geometry, Shape
from ..numbers import Array
from .numbers import numbers

Batch: TypeAlias = tuple[Mapping[str, Array], Mapping[str, NDArray[Any]]]
"""Data by input population and targets by output population, as `Simulator.step` takes them."""


def weights(geometry: Geometry) -> st.SearchStrategy[Array]:
    """Weights of a wiring that has some."""
    assert geometry.weight_shape is not None
    return arrays(np.float64, geometry.weight_shape, elements=numbers())


def activities(shape: Shape, samples: int) -> st.SearchStrategy[Array]:
    """What a population of this shape does in so many samples: (samples, *shape)."""
    return arrays(np.float64, (samples, *shape), elements=numbers())


@st.composite
def batches(draw: st.DrawFn, circuit: Circuit, samples: int = 3) -> Batch:
    """Data for every input, and what the loss of every output compares with."""
    graph = build_graph(expand(circuit))
    inputs = {name: population.input for name, population in graph.populations.items() if population.input}
    data = {name: draw(activities(tuple(shape), samples)) for name, shape in inputs.items()}
    target: dict[str, NDArray[Any]] = {}
    for name in graph.outputs:
        size = graph.shapes[name]
        if graph.populations[name].output_loss == "cross_entropy":
            target[name] = draw(arrays(np.int64, samples, elements=st.integers(0, size[0] - 1)))
        else:
            target[name] = draw(arrays(np.float64, (samples, *size), elements=numbers((0.0, 1.0, 0.5))))
    return data, target
