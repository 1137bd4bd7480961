"""No step of any mode takes a weight out of its bounds or against its source's sign, by any optimizer on any engine."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import counterstream as cs
from counterstream.engine.errors import SimulationError
from counterstream.engine.simulator import Simulator

from .nets import close, plain_batch, simulate

NET = """
populations:
  image: {input: [2, 5, 5]}
  v1: {transfer: tanh, sign: {excitatory: 0.5}}
  v2: {transfer: softplus, sign: inhibitory}
  h: {transfer: sigmoid, sign: excitatory}
  answer: {transfer: softmax}
projections:
  - {from: image, to: v1, wiring: {conv: {channels: 4, kernel: 3}}, bounds: [-0.1, 0.3]}
  - {from: v1, to: v2, wiring: {conv: {channels: 4, kernel: 3, stride: 2, groups: 2}}, bounds: [-0.7, 0.7]}
  - {from: v2, to: h, wiring: {dense: {size: 6}}, bounds: [-0.4, null]}
  - {from: h, to: answer, wiring: {dense: {size: 3}}, bounds: [0.1, 0.5]}
"""
OPTIMIZERS = (
    cs.Consolidation(rate=8.0),
    cs.Consolidation(rate=3.0, momentum=0.9),
    cs.Consolidation(rate=3.0, momentum=0.9, nesterov=True),
    cs.Consolidation(optimizer="adamw", rate=0.1),
)


def kept(sim: Simulator, dtype: str) -> int:
    """All weights are within their bounds, to the last bit; how many stand at one."""
    number = np.dtype(dtype).type
    at_bound = 0
    limits = {"image->v1": (-0.1, 0.3), "v1->v2": (-0.7, 0.7), "v2->h": (-0.4, 0.0), "h->answer": (0.1, 0.5)}
    limits |= {"v1->v2~": (-0.7, 0.7), "v2->h~": (-0.4, np.inf), "h->answer~": (0.1, 0.5)}
    for label, (low, high) in limits.items():
        if label in sim.weights:
            weights = sim.weights[label].astype(dtype)
            assert (weights >= number(low)).all(), label
            assert (weights <= number(high)).all(), label
            at_bound += int(((weights == number(low)) | (weights == number(high))).sum())
    split = sim.weights["v1->v2"]  # groups: outputs 0 and 1 hear channels 0 and 1, which are excitatory
    assert (split[:2] >= 0).all()
    assert (split[2:] <= 0).all()
    return at_bound


@given(
    system=st.sampled_from(["backprop", "feedback_alignment", "kolen_pollack", "weight_mirror"]),
    how=st.sampled_from(OPTIMIZERS),
    target=st.sampled_from([("torch", "float32"), ("torch", "float64"), ("reference", "float64")]),
    seed=st.integers(0, 99),
    in_place=st.booleans(),
)
@settings(max_examples=10, deadline=None)
def test_no_step_leaves_them(
    system: str, how: cs.Consolidation, target: tuple[str, str], seed: int, in_place: bool
) -> None:
    engine, dtype = target
    sim = simulate(
        cs.loads(NET, learning=system), seed, engine=engine, dtype=dtype, consolidation=how, in_place=in_place
    )
    at_start = kept(sim, dtype)
    found = []
    for step in range(6):
        sim.step(*plain_batch(seed=step + seed))
        found.append(kept(sim, dtype))
        if "mirror" in sim.compiled.modes:
            sim.run("mirror")
            kept(sim, dtype)
    assert max(found) > at_start, "no weight has met a bound: the test shows nothing"


@pytest.mark.parametrize("how", OPTIMIZERS, ids=lambda how: f"{how.optimizer}-{how.momentum}-{how.nesterov}")
def test_the_step_is_the_free_one_brought_back_to_the_nearest_that_may_be(how: cs.Consolidation) -> None:
    bare = (
        NET.replace(", sign: {excitatory: 0.5}", "").replace(", sign: inhibitory", "").replace(", sign: excitatory", "")
    )
    bare = "".join(
        line.partition(", bounds")[0] + ("}\n" if ", bounds" in line else "\n") for line in bare.splitlines()
    )
    sim = simulate(cs.loads(NET, learning="kolen_pollack"), consolidation=how)
    free = simulate(cs.loads(bare, learning="kolen_pollack"), consolidation=how)
    free.load_state_dict({name: value for name, value in sim.state_dict().items() if not name.startswith("signs/")})
    for each in (sim, free):
        each.step(*plain_batch())
    for label, low, high in (("image->v1", -0.1, 0.3), ("v2->h", -0.4, 0.0), ("h->answer~", 0.1, 0.5)):
        close(sim.weights[label], np.clip(free.weights[label], low, high), 1e-14, label)
    close(sim.weights["v1->v2"][:2], np.clip(free.weights["v1->v2"][:2], 0, 0.7), 1e-14)
    close(sim.weights["v1->v2"][2:], np.clip(free.weights["v1->v2"][2:], -0.7, 0), 1e-14)


def test_weights_from_outside_must_keep_them() -> None:
    sim = simulate(cs.loads(NET, learning="kolen_pollack"), dtype="float32")
    weights = sim.weights["h->answer"]
    sim.weights["h->answer"] = np.full_like(weights, 0.1)  # in float32 another number
    weights[0, 0] = 0.6
    message = r"weights/h->answer must keep 0.1 <= w <= 0.5 \(got 0.6\)"
    with pytest.raises(SimulationError, match=message):
        sim.weights["h->answer"] = weights
    with pytest.raises(SimulationError, match=message):
        sim.load_state_dict({**sim.state_dict(), "weights/h->answer": weights})
    with pytest.raises(SimulationError, match=message):
        simulate(sim.circuit, state={"weights/h->answer": weights})
    split = sim.weights["v1->v2"]
    split[0, 0, 0, 0] = -0.1
    with pytest.raises(SimulationError, match=r"weights/v1->v2 must keep -0.7 <= w <= 0.7, w >= 0 from 2 channels"):
        sim.weights["v1->v2"] = split
    sim.load_state_dict(sim.state_dict())
