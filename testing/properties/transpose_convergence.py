"""Transpose convergence: feedback weights that come to mirror the forward ones."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from ...circuits.declarations.claims import TransposeConvergence
from ...engine.angle import angle
from ...engine.simulator import Simulator
from ..counterexample import Counterexample
from ..feedback import feedback_rules, why_no_reverse
from ..network import Network
from ..numbers import Array
from ..subject import Subject
from .property import Property

SAMPLES = 16


@dataclass(frozen=True)
class Example:
    """A network, its weights and data drawn from its seed."""

    network: Network


def transpose_convergence(subject: Subject, example: Example, claim: TransposeConvergence) -> Counterexample | None:
    """angle(W, B) <= angle and |<W, B> / <W, W> - 1| <= gain, W and B averaged over the later half of steps.

    B is stored in W's layout. Where feedback synapses learn in a mode without errors, that mode alone runs, W at rest;
    else the network learns what a linear teacher does. The average over steps takes out what noise leaves in B.
    """
    sim = example.network.simulator(subject, claim.rate)
    w, b = _averaged(subject, sim, example.network, claim.steps)
    degrees = angle(w, b)
    gain = float((w * b).sum() / (w * w).sum())
    if degrees <= claim.angle and abs(gain - 1) <= claim.gain:
        return None
    network = example.network
    return Counterexample(
        where=f"{subject.name}, in the network image -first-> h -W-> out",
        given={
            "neurons or maps": [network.inputs, network.hidden, network.outputs],
            "first projection": network.wiring,
            "h": network.transfer,
            "seed": network.seed,
            "steps": claim.steps,
        },
        expected={"angle": f"<= {claim.angle:g} degrees", "gain": f"{1 - claim.gain:g} to {1 + claim.gain:g}"},
        got={"angle": degrees, "gain": gain},
    )


def _averaged(subject: Subject, sim: Simulator, network: Network, steps: int) -> tuple[Array, Array]:
    """W and B, averaged over the later half of the steps."""
    data, target = network.batch(SAMPLES)
    modes = feedback_rules(subject)
    alone = [name for name in modes if not sim.compiled.modes[name].mode.errs]
    total_w, total_b = np.zeros_like(sim.weights["second"]), np.zeros_like(sim.weights["second"])
    for step in range(steps):
        if len(alone) == len(modes):
            for name in alone:
                network.step(sim, name, data, target)
        else:
            network.learn(sim, data, target)
        if step >= steps // 2:
            total_w += sim.weights["second"]
            total_b += sim.weights["second~"]
    late = steps - steps // 2
    return total_w / late, total_b / late


@st.composite
def examples(draw: st.DrawFn, subject: Subject, claim: TransposeConvergence, size: int) -> Example:
    inputs, hidden, outputs = (draw(st.integers(1, size)) for _ in range(3))
    transfer, wiring = draw(st.sampled_from(("linear", "tanh"))), draw(st.sampled_from(("dense", "conv")))
    return Example(Network(inputs, hidden, outputs, transfer, wiring=wiring, seed=draw(st.integers(0, 99))))


def misfit(subject: Subject, claim: TransposeConvergence) -> str:
    return why_no_reverse(subject)


PROPERTY = Property(check=transpose_convergence, of="system", example=Example, draw=examples, misfit=misfit, share=20)
