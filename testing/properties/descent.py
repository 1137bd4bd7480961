"""Descent: learning that lowers a loss."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from ...circuits.declarations.claims import Descent
from ..counterexample import Counterexample
from ..feedback import forward_rules
from ..network import Network
from ..subject import Subject, modulators_of
from .property import Property

SAMPLES = 4
CERTAIN = 2  # standard errors: an average that may well be chance is no counterexample


@dataclass(frozen=True)
class Example:
    """A network; weights and data are drawn afresh for each term of the average."""

    network: Network


def descent(subject: Subject, example: Example, claim: Descent) -> Counterexample | None:
    """E[(L(w + rate dw) - L(w)) / (rate L(w))] < 0 over draws of networks and batches, L the loss on the batch.

    As `rate` goes to 0 this is the mean of dw times the gradient of log L: dw need not be the gradient, but must point
    downhill on average. (Changes of L itself have long tails, in which an average over a hundred draws says little.) It
    fails where the average lies above 0 by more than two of its standard errors, or where no step changes the loss.
    """
    network = example.network
    sim = network.simulator(subject, claim.rate)
    changes = []
    for draw in range(claim.draws):
        drawn = Network(**{**vars(network), "seed": network.seed * claim.draws + draw})
        for name, state in sim.compiled.states.items():
            sim.set_state(name, state.draw(drawn.seed))
        batch = drawn.batch(SAMPLES)
        for _ in range(claim.warmup):
            drawn.learn(sim, *batch)
        before = sim.evaluate(*batch)["loss"]  # without noise
        drawn.learn(sim, *batch)
        change = sim.evaluate(*batch)["loss"] - before
        changes.append(change / (claim.rate * before) if before else change)
    mean, error = float(np.mean(changes)), float(np.std(changes, ddof=1) / len(changes) ** 0.5)
    if mean <= CERTAIN * error and any(changes):
        return None
    return Counterexample(
        where=f"{subject.name}, in the network image -first-> h -second-> out",
        given={
            "neurons": [network.inputs, network.hidden, network.outputs],
            "h": network.transfer,
            "seed": network.seed,
            "draws": claim.draws,
            "standard error": error,
        },
        expected={"mean change of the loss, over rate and loss": "< 0"},
        got={"mean change of the loss, over rate and loss": mean},
    )


@st.composite
def examples(draw: st.DrawFn, subject: Subject, claim: Descent, size: int) -> Example:
    inputs, hidden, outputs = (
        draw(st.integers(least, least + size - 1)) for least in (1, 1, 2 if claim.loss != "squared" else 1)
    )
    transfer = draw(st.sampled_from(("linear", "tanh", "relu")))
    return Example(Network(inputs, hidden, outputs, transfer, claim.loss, seed=draw(st.integers(0, 99))))


def misfit(subject: Subject, claim: Descent) -> str:
    if subject.system is None:
        return "it is a rule by itself, not a learning system"
    if modulators_of(subject.system):
        return "its rules read modulators that are given from outside"
    rewarded = {f"mod.{name}" for name in subject.system.modulators}
    told = any(({"post.apical"} | rewarded) & rule.reads for rule in forward_rules(subject).values())
    return "" if told else "no rule of forward synapses reads an error (post.apical) or a reward"


PROPERTY = Property(check=descent, of="system", example=Example, draw=examples, misfit=misfit, share=10)
