"""Runs that one process makes alone, and several share: what both do, so that the outcomes can be compared."""

from dataclasses import dataclass
from typing import Any

import numpy as np

import counterstream as cs
from counterstream.circuits.declarations import LearningSystem, Modulator
from counterstream.engine import Ranks
from counterstream.engine.simulator import Simulator
from counterstream.models import load_learning

from .nets import BESIDE_DATA, PLAIN, SYSTEMS, Array, plain, plain_batch, residual, residual_batch, simulate

STEPS = 20
SHARES = (5, 3)
"""Samples of each rank. They differ, so that nothing passes that forgets to weigh."""

CENTRED = """
name: centred
populations:
  image: {input: [2, 5, 5]}
  v1: {transfer: tanh}
projections:
  - {from: image, to: v1, wiring: {conv: {channels: 3, kernel: 3}}, initial: {normal: {deviation: 0.3}}}
learning:
  name: covariance
  feedback: {pathway: none}
  modes:
    engaged: {forward: "centre(post.rate) * pre.rate - 0.1 * w"}
"""


class Counting(Ranks):
    """Ranks that count what they send."""

    bytes_sent = 0

    def add_up(self, tensor: Any) -> Any:
        self.bytes_sent += tensor.numel() * tensor.element_size()
        return super().add_up(tensor)

    def begin_adding_up(self, tensor: Any) -> Any:
        self.bytes_sent += tensor.numel() * tensor.element_size()
        return super().begin_adding_up(tensor)


@dataclass(frozen=True)
class Run:
    """A circuit, and how it is run."""

    circuit: cs.Circuit
    batch: Any = plain_batch
    engine: str = "torch"
    dtype: str = "float64"
    synchronise: bool = False
    alike: bool = False
    """Every rank is given the whole batch, in place of its share."""
    reads: tuple[str, ...] = ()
    """What is read of this rank's samples after the last step."""
    watch: tuple[str, ...] = ()
    in_place: bool = False
    bucket: int = 2**20


def runs() -> dict[str, Run]:
    """What is run, by name."""
    found = {f"{system} {dtype}": Run(plain(system, decay=0.01), dtype=dtype)
             for system in SYSTEMS for dtype in ("float64", "float32")}  # fmt: skip
    found["reference"] = Run(plain("kolen_pollack", decay=0.01), engine="reference", reads=("v1.rate",))
    found["buckets"] = Run(plain("kolen_pollack", decay=0.01), bucket=500)
    found["in place"] = Run(plain("kolen_pollack", decay=0.01), in_place=True)
    dropping = PLAIN.replace("{transfer: softplus}", "{transfer: softplus, dropout: 0.5}")
    found["dropout"] = Run(cs.loads(dropping, learning="kolen_pollack"))
    found["redrawn"] = Run(plain("batchwise_random_sign_feedback", decay=0.01))
    found["centre"] = Run(cs.loads(CENTRED), batch=lambda **how: (plain_batch(**how)[0], None))
    for system in BESIDE_DATA:
        found[system] = Run(plain(system, decay=0.01))
    found["running baseline"] = Run(cs.loads(PLAIN, learning=rewarded(baseline="running")))
    found["reward of the batch"] = Run(cs.loads(PLAIN, learning=rewarded(per="batch", baseline="noiseless")))
    found["alike"] = Run(residual(learning="kolen_pollack", decay=0.01), batch=residual_batch, alike=True)
    for system in ("backprop", "weight_mirror", "kolen_pollack"):
        found[f"synchronised {system}"] = Run(
            residual(learning=system, decay=0.01), batch=residual_batch, synchronise=True,
            reads=("hidden1~.rate", "top.rate"), watch=("top.rate",),
        )  # fmt: skip
    return found


def rewarded(**reward: str) -> LearningSystem:
    """Node perturbation with another reward."""
    system = load_learning("node_perturbation")
    return system.model_copy(update={"modulators": {"reward": Modulator(of="loss", **reward)}})


def begun(run: Run, ranks: Ranks | None = None) -> Simulator:
    how = cs.Consolidation(rate=0.05, momentum=0.9)
    given = {"engine": run.engine, "dtype": run.dtype, "watch": run.watch, "in_place": run.in_place}
    return simulate(run.circuit, consolidation=how, ranks=ranks, **given)


def carried_out(run: Run, ranks: Ranks | None = None) -> tuple[Simulator, dict[str, Array]]:
    """20 steps, with what they came to: every state, the metrics of each step, what was watched last."""
    sim = begun(run, ranks)
    share = slice(None) if ranks is None or run.alike else rows_of(ranks.rank)
    metrics = []
    for step in range(STEPS):
        data, target = run.batch(samples=sum(SHARES), seed=step)
        metrics.append(sim.step(data[share], None if target is None else target[share]))
        if "mirror" in sim.steps:
            sim.run("mirror")
        if "align" in sim.steps:
            sim.step(data[share], mode="align")
    found: dict[str, Array] = dict(sim.state_dict())
    found |= {name: sim.read(name) for name in run.reads}
    found |= {f"metrics/{name}": np.array([each[name] for each in metrics]) for name in metrics[0]}
    return sim, found


def rows_of(rank: int) -> slice:
    """The rows of the whole batch that a rank is given."""
    first = sum(SHARES[:rank])
    return slice(first, first + SHARES[rank])
