"""No transport: every projection's weights are its own."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from ...circuits.declarations.claims import NoTransport
from ..counterexample import Counterexample
from ..network import Network
from ..numbers import rows
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

    What a projection conducts with is its own: no tie hands it the weights, or the signs, of another.
    """
    sim = example.network.simulator(subject, 0.1)
    states = [name for name in sim.compiled.states if name.startswith("weights/")]
    for name in states:
        sim.set_state(name, 0 * sim.get_state(name))
    before = dict(sim.weights)
    set_one = states[example.place % len(states)]
    weights = sim.get_state(set_one).copy()
    weights.flat[0] = example.value
    sim.set_state(set_one, weights)
    label = set_one.removeprefix("weights/")
    for other, now in sim.weights.items():
        if other != label and (now != before[other]).any():
            given: dict[str, Any] = {"all weights": 0.0, f"then weights of {label}": rows(weights.astype(np.float64))}
            expected, got = {f"weights of {other}": rows(before[other])}, {f"weights of {other}": rows(now)}
            return Counterexample(where=f"{subject.name}, in a network", given=given, expected=expected, got=got)
    return None


def examples(subject: Subject, claim: NoTransport, size: int) -> st.SearchStrategy[Example]:
    sizes = st.integers(1, size)
    return st.builds(Example, st.builds(Network, sizes, sizes, sizes), st.integers(0, 3), numbers())


def misfit(subject: Subject, claim: NoTransport) -> str:
    if any(rule.foreign for rule in subject.synapses):
        return "its rules read weights of other synapses: see counterstream check"
    return "" if subject.system else "it is a rule by itself, not a learning system"


PROPERTY = Property(check=no_transport, of="system", example=Example, draw=examples, misfit=misfit, share=4)
