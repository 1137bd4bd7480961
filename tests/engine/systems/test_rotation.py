"""Projections that take turns: after a round each has been served once, as if it had been alone."""

from typing import Any

import numpy as np
import pytest

import counterstream as cs
from counterstream.engine.simulator import Simulator

from ..nets import Array, close, mirror, simulate

STACK = """
populations:
  image: {input: [2, 6, 6]}
  a: {normalize: batch, transfer: relu}
  b: {normalize: batch, transfer: relu}
  c: {transfer: relu}
  answer: {transfer: softmax}
projections:
  - {from: image, to: a, wiring: {conv: {channels: 4, kernel: 3}}}
  - {name: conv, from: a, to: b, wiring: {conv: {channels: 5, kernel: 3, stride: 2}}}
  - {name: whole, from: b, to: c, wiring: {dense: {size: 7}}}
  - {name: last, from: c, to: answer, wiring: {dense: {size: 3}}}
"""
ROUND = ("last", "whole", "conv")


def stack(engine: str = "torch", consolidation: cs.Consolidation | None = None, **mode: Any) -> Simulator:
    circuit = cs.loads(STACK, learning=mirror(**{"samples": {"maps": 6}, **mode}))
    return simulate(circuit, engine=engine, consolidation=consolidation)


def drawn(sim: Simulator, seed: int = 0) -> dict[str, Array]:
    """Noise for every projection."""
    random = np.random.default_rng(seed)
    wanted = sim.compiled.modes["mirror"].noise
    return {noise.name.removeprefix("noise/"): random.normal(size=(6, *noise.shape)) for noise in wanted}


def mirrors(sim: Simulator) -> dict[str, Array]:
    return {label: sim.weights[f"{label}~"] for label in ROUND}


@pytest.mark.parametrize("engine", ["torch", "reference"])
def test_a_round_is_one_step_of_all(engine: str) -> None:
    """With the same noise, that is, and W at rest."""
    together, turning = stack(engine), stack(engine, layers="rotate")
    for step in range(4):
        noise = drawn(together, step)
        together.run("mirror", noise=noise)
        turning.run("mirror", steps=3, noise=noise)
    for label, weights in mirrors(together).items():
        close(turning.weights[f"{label}~"], weights, 1e-12)
    assert turning.steps["mirror"] == 3 * together.steps["mirror"]


def test_a_turn_moves_the_mirrors_of_that_turn_alone() -> None:
    sim = stack(layers="rotate")
    for turn in range(7):
        before = sim.state_dict()
        sim.run("mirror")
        after = sim.state_dict()
        moved = {name for name in before if not np.array_equal(before[name], after[name])}
        assert moved == {f"weights/{ROUND[turn % 3]}~", "steps/mirror"}


def test_each_is_served_as_if_it_were_alone() -> None:
    """One mirror run by itself relaxes to W by 1 - r each time that it is its turn, and not in between."""
    sim, rounds = stack(layers="rotate", samples={"maps": 6}), 5
    white = {"last": np.sqrt(7) * np.eye(7)}
    w, b = sim.weights["last"], sim.weights["last~"]
    for _ in range(rounds):
        sim.run("mirror", steps=3, noise=white)
        b = 0.9 * b + 0.1 * w
        close(sim.weights["last~"], b, 1e-12)


def test_a_mirror_that_takes_turns_lags_as_much_longer() -> None:
    """The mean age of the W that B holds, over a round of P = 3 steps: P / r - (P + 1) / 2."""
    sim = stack(layers="rotate")
    start, pace = sim.weights["last"], np.random.default_rng(1).normal(size=(3, 7)) / 100
    sim.weights["last~"] = start
    white, behind = {"last": np.sqrt(7) * np.eye(7)}, []
    for step in range(600):
        sim.weights["last"] = start + step * pace
        sim.run("mirror", noise=white)
        behind.append(sim.weights["last"] - sim.weights["last~"])
    close(np.mean(behind[-3:], axis=0), (3 / 0.1 - 2) * pace, 1e-6)


def test_engines_agree_on_every_turn() -> None:
    torch, reference = stack(layers={"rotate": 2}), stack("reference", layers={"rotate": 2})
    reference.load_state_dict(torch.state_dict())
    for step in range(5):
        noise = drawn(torch, step)
        for sim in (torch, reference):
            sim.run("mirror", noise=noise)
        for label, weights in mirrors(reference).items():
            close(torch.weights[f"{label}~"], weights, 1e-12)


def test_a_resumed_run_goes_on_with_the_next_turn() -> None:
    """Whose turn it is, and its noise, follow from the state: so workers that share a model agree too."""
    straight, resumed = stack(layers="rotate"), stack(layers="rotate")
    straight.run("mirror", steps=4)
    resumed.load_state_dict(straight.state_dict())
    straight.run("mirror", steps=4)
    for _ in range(4):
        resumed.run("mirror")
    for name, array in straight.state_dict().items():
        np.testing.assert_array_equal(resumed.state_dict()[name], array)


def test_noise_is_fresh_in_every_round() -> None:
    sim = stack(layers="rotate")
    start, reached = sim.weights["last~"], []
    for _ in range(2):
        sim.weights["last~"] = start
        sim.run("mirror", steps=3)
        reached.append(sim.weights["last~"])
    assert not np.allclose(*reached)


@pytest.mark.parametrize("in_place", [False, True])
def test_moments_count_the_turns_of_their_own(in_place: bool) -> None:
    """AdamW makes up for moments that start at 0: by how often a weight was moved, not by how often the mode ran."""
    adamw = cs.Consolidation(optimizer="adamw", rate=0.01)
    rule = {"dw": "r * (post.rate * pre.rate - w)", "positions": "mean", "consolidation": "common"}
    sims = [
        simulate(
            cs.loads(STACK, learning=mirror(feedback=rule, layers=layers, samples={"maps": 6})),
            consolidation=adamw,
            in_place=in_place,
        )
        for layers in ("all", "rotate")
    ]
    for step in range(3):
        for sim, steps in zip(sims, (1, 3), strict=True):
            sim.run("mirror", steps=steps, noise=drawn(sim, step))
    for label in ROUND:
        close(sims[1].weights[f"{label}~"], sims[0].weights[f"{label}~"], 1e-12)


def test_noise_for_a_projection_that_never_has_a_turn_is_refused() -> None:
    with pytest.raises(cs.CounterstreamError, match="mode 'mirror' runs no projection 'image->a'"):
        stack(layers="rotate").run("mirror", noise={"image->a": np.ones((6, 2, 6, 6))})
