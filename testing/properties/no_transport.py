"""No transport: every projection's weights are its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from ...circuits.declarations.claims import NoTransport
from ...engine.simulator import Simulator
from ..counterexample import Counterexample
from ..network import Network
from ..numbers import Array, rows
from ..strategies.numbers import numbers
from ..subject import Subject
from .property import Property


@dataclass(frozen=True)
class Example:
    """One weight of one projection is set, all others being 0."""

    network: Network
    place: int
    """Which state, counted from the first."""
    value: float


def no_transport(subject: Subject, example: Example, claim: NoTransport) -> Counterexample | None:
    """w[p](s') = w[p](s) for all projections p but q, wherever the states s and s' differ in the weights of q alone.

    What a projection conducts with is its own: no tie hands it the weights, or the signs, of another. Nor does a rule:
    the same holds after a step in which nobody fires, so that nothing could tell p of q.
    """
    network = example.network
    sim = network.simulator(subject, 0.1)
    states = [name for name in sim.compiled.states if name.startswith("weights/")]
    changed = states[example.place % len(states)]
    weights = np.zeros(sim.compiled.states[changed].shape)
    before = _seen(network, sim, {name: 0 * sim.get_state(name) for name in states})
    weights.flat[0] = example.value
    after = _seen(network, sim, {**{name: 0 * sim.get_state(name) for name in states}, changed: weights})
    label = changed.removeprefix("weights/")
    for name, then in after.items():
        if not name.endswith(f" of {label}") and (then != before[name]).any():
            given: dict[str, Any] = {"all weights": 0.0, f"then weights of {label}": rows(weights)}
            expected, got = {name: rows(before[name])}, {name: rows(then)}
            return Counterexample(where=f"{subject.name}, in a network", given=given, expected=expected, got=got)
    return None


def _seen(network: Network, sim: Simulator, states: Mapping[str, Any]) -> dict[str, Array]:
    """What all projections conduct with in these states, and after a silent step of each mode that can be silent."""
    for name, state in states.items():
        sim.set_state(name, state)
    seen = {f"weights of {label}": weights for label, weights in sim.weights.items()}
    data, target = network.batch(1)
    for name, programs in sim.compiled.modes.items():
        if not programs.noise:
            network.step(sim, name, 0 * data, 0 * target)
            after = {f"weights after a silent step of {label}": weights for label, weights in sim.weights.items()}
            seen |= after
    return seen


def examples(subject: Subject, claim: NoTransport, size: int) -> st.SearchStrategy[Example]:
    sizes = st.integers(1, size)
    return st.builds(Example, st.builds(Network, sizes, sizes, sizes), st.integers(0, 3), numbers())


def misfit(subject: Subject, claim: NoTransport) -> str:
    return "" if subject.system else "it is a rule by itself, not a learning system"


PROPERTY = Property(check=no_transport, of="system", example=Example, draw=examples, misfit=misfit, share=4)
