"""Decay of the difference: how Kolen-Pollack comes to transposed weights."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from ...circuits.declarations.claims import DecayOfDifference
from ..counterexample import Counterexample
from ..feedback import feedback_rules, forward_rules, why_no_reverse
from ..network import Network
from ..numbers import Rows, differ, rows
from ..strategies.numbers import matrices
from ..subject import Subject
from .property import Property


@dataclass(frozen=True)
class Example:
    """A network with all its numbers."""

    network: Network
    image: Rows
    target: Rows
    first: Rows
    w: Rows
    b: Rows


def decay_of_difference(subject: Subject, example: Example, claim: DecayOfDifference) -> Counterexample | None:
    """W' - B' = (1 - rate * decay) (W - B), W' and B' the weights after one step, whatever the data.

    B is stored in W's layout. Both synapses must receive the same drive, so that it cancels, and the same decay.
    Kolen and Pollack 1994; Akrout et al. 2019, equations 16 and 17.
    """
    mode = _mode(subject)
    rate, decay = claim.rate, _decay(subject, mode)
    state = {"weights/first": example.first, "weights/second": example.w, "weights/second~": example.b}
    sim = example.network.simulator(subject, rate, state)
    modulators = dict.fromkeys(sim.circuit.modulators, 1.0)
    sim.step(np.asarray(example.image), np.asarray(example.target), mode=mode, modulators=modulators)
    w, b = sim.weights["second"], sim.weights["second~"]
    before = np.asarray(example.w) - np.asarray(example.b)
    expected, got = (1 - rate * decay) * before, w - b
    if not differ(got, expected, claim.tolerance):
        return None
    given: dict[str, Any] = {
        "image": example.image,
        "target": example.target,
        "weights of first": example.first,
        "h": example.network.transfer,
        "W": example.w,
        "B": example.b,
        "1 - rate * decay": 1 - rate * decay,
        "W'": rows(w),
        "B'": rows(b),
    }
    return Counterexample(
        where=f"{subject.name}, in the network image -first-> h -W-> out",
        given=given,
        expected={"W' - B'": rows(expected)},
        got={"W' - B'": rows(got)},
    )


def _mode(subject: Subject) -> str:
    """The mode with errors in which both kinds of synapse learn; empty if there is none."""
    assert subject.system is not None
    both = forward_rules(subject).keys() & feedback_rules(subject).keys()
    return next((name for name, mode in subject.system.modes.items() if name in both and mode.errs), "")


def _decay(subject: Subject, mode: str) -> float:
    """The decay that W - B is to have: that of W, or where it has none that of B."""
    return forward_rules(subject)[mode].plasticity.decay or feedback_rules(subject)[mode].plasticity.decay


@st.composite
def examples(draw: st.DrawFn, subject: Subject, claim: DecayOfDifference, size: int) -> Example:
    inputs, hidden, outputs, samples = (draw(st.integers(1, min(size, 2))) for _ in range(4))
    network = Network(inputs, hidden, outputs, draw(st.sampled_from(("linear", "relu", "tanh"))))
    shapes = ((samples, inputs), (samples, outputs), (hidden, inputs), (outputs, hidden), (outputs, hidden))
    return Example(network, *(draw(matrices(*shape)) for shape in shapes))


def misfit(subject: Subject, claim: DecayOfDifference) -> str:
    if why := why_no_reverse(subject):
        return why
    mode = _mode(subject)
    if not mode:
        return "forward and feedback synapses do not learn in the same mode, from the same data"
    return "" if _decay(subject, mode) else "no synapse decays"


PROPERTY = Property(check=decay_of_difference, of="system", example=Example, draw=examples, misfit=misfit, share=2)
