"""The state of a compiled circuit: every named array that lives from step to step, and how it starts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from ...circuits.constraints import Constraint
from ...circuits.declarations import Initial
from ...circuits.graph import Graph
from ...circuits.wiring import Geometry, Shape
from .magnitudes import magnitude_name, uniform_magnitude


@dataclass(frozen=True, kw_only=True)
class State:
    """One array of state. `name` is KIND/SUBJECT; optimizer traces are trace/MODE/KIND/SUBJECT."""

    name: str
    shape: Shape
    initial: Initial | float
    """A distribution for weights; a constant for everything else."""
    geometry: Geometry | None = None
    constraint: Constraint | None = None
    """What weights may be, from the first on."""

    def draw(self, seed: int) -> NDArray[np.float64]:
        """The initial value.

        Each state has a stream of random numbers of its own, keyed by (seed, name), so that circuits that share a
        projection's name start from the same weights, whatever else they hold.
        """
        drawn = self._drawn(seed)
        if self.constraint is None:
            return drawn
        assert self.geometry is not None
        return self.constraint.admit(drawn, self.geometry)

    def _drawn(self, seed: int) -> NDArray[np.float64]:
        if isinstance(self.initial, float):
            return np.full(self.shape, self.initial)
        assert self.geometry is not None
        rng = np.random.default_rng([seed, crc32(self.name.encode())])
        return self.initial.draw(rng, self.shape, self.geometry.fan_in, self.geometry.fan_out)


def weights_name(graph: Graph, label: str) -> str:
    """The state in which a projection's weights live: its own, or those of the projection it is tied to."""
    tie = graph.projections[label].tie
    return weights_name(graph, tie.owner) if tie else f"weights/{label}"


def signs_name(label: str) -> str:
    """The state, which nothing changes, that holds the sign of each weight of a projection from a mixed population."""
    return f"signs/{label}"


def circuit_states(graph: Graph) -> Mapping[str, State]:
    """Weights, what stays of them (magnitudes, signs), gains, biases, running statistics and baselines, by name."""
    return {state.name: state for state in (*_synapses(graph), *_populations(graph), *_baselines(graph))}


def _synapses(graph: Graph) -> Iterator[State]:
    for label, projection in graph.projections.items():
        geometry, tie = graph.geometries[label], projection.tie
        if geometry.weight_shape is None:
            continue
        fixed = tie is not None and tie.magnitude == "fixed" and uniform_magnitude(graph, label) is None
        if tie is None or fixed:
            name, shape = (magnitude_name(label) if fixed else f"weights/{label}"), geometry.weight_shape
            held = None if fixed else graph.constraint(label)
            yield State(name=name, shape=shape, initial=projection.initial, geometry=geometry, constraint=held)
            if held is not None and held.excitatory is not None:
                signs = Constraint(excitatory=held.excitatory)
                yield State(name=signs_name(label), shape=shape, initial=1.0, geometry=geometry, constraint=signs)


def baseline_name(modulator: str) -> str:
    """The state in which the running baseline of a modulator lives."""
    return f"baseline/{modulator}"


def _baselines(graph: Graph) -> Iterator[State]:
    for name, modulator in graph.circuit.modulators.items():
        if modulator.baseline == "running":
            yield State(name=baseline_name(name), shape=(), initial=0.0)


def _populations(graph: Graph) -> Iterator[State]:
    for name in graph.forward:
        population, channels = graph.populations[name], graph.shapes[name][:1]
        if population.normalizes:
            yield State(name=f"gain/{name}", shape=channels, initial=population.initial_gain)
            yield State(name=f"running_mean/{name}", shape=channels, initial=0.0)
            yield State(name=f"running_variance/{name}", shape=channels, initial=1.0)
        if population.normalizes or graph.has_bias(name):
            yield State(name=f"bias/{name}", shape=channels, initial=population.initial_bias)
