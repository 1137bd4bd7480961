"""Systems whose feedback goes straight to every hidden population, against loops by hand."""

import numpy as np
import pytest

import counterstream as cs

from ..nets import Array, plain, plain_batch, simulate
from .by_hand import ByHand, agree

RATE, DECAY, STEPS = 0.3, 0.02, 6
HIDDEN = ("v1", "v2", "h")


@pytest.mark.parametrize("engine", ["torch", "reference"])
def test_direct_kolen_pollack_by_hand(engine: str) -> None:
    """B <- B - rate (y error + decay B): what a forward synapse from there to the output would do."""
    circuit = plain("direct_kolen_pollack", decay=DECAY)
    sim = simulate(circuit, seed=5, engine=engine, consolidation=cs.Consolidation(rate=RATE))
    hand = ByHand(sim, rate=RATE, decay=DECAY)
    b: dict[str, Array] = {name: sim.weights[f"answer~->{name}~"] for name in HIDDEN}
    for step in range(STEPS):
        images, digits = plain_batch(seed=step)
        sim.step(images, digits)
        at = hand.forward(images, digits)
        hand.learn(at, hand.straight(at, at.error, b))
        for name in HIDDEN:
            summed = at.y[name].reshape(*at.y[name].shape[:2], -1).sum(axis=2)  # over the positions that share a weight
            b[name] = b[name] - RATE * (summed.T @ at.error / len(images) + DECAY * b[name])
            np.testing.assert_allclose(sim.weights[f"answer~->{name}~"], b[name], rtol=0, atol=1e-10, err_msg=name)
        agree(sim, hand)


def test_direct_kolen_pollack_mirrors_the_last_layer() -> None:
    """W and B between h and the output differ by what decays: B -> W^T, whatever the data."""
    sim = simulate(plain("direct_kolen_pollack", decay=0.1), consolidation=cs.Consolidation(rate=0.5))
    apart = [sim.weights["h->answer"].T - sim.weights["answer~->h~"]]
    for step in range(20):
        sim.step(*plain_batch(seed=step))
        apart.append(sim.weights["h->answer"].T - sim.weights["answer~->h~"])
        np.testing.assert_allclose(apart[-1], apart[-2] * (1 - 0.5 * 0.1), rtol=0, atol=1e-12)
    assert cs.check(plain("direct_kolen_pollack")).local
