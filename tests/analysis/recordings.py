"""Recordings that look like the five learning systems', written in a moment: angles follow chosen curves."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from counterstream.engine.recorder import Recorder, Schema, Synapse

SHAPES = {
    "image->v1": (8, 1, 3, 3),
    "stage1.block1.conv1": (8, 8, 3, 3),
    "stage2.block1.conv1": (16, 8, 3, 3),
    "stage2.block1.shortcut": (16, 8, 1, 1),
    "stage3.block1.conv1": (24, 16, 3, 3),
    "pooled->digit": (10, 24),
}
Curve = Callable[[float, float], float]  # (epoch, depth from 0 to 1) -> degrees


def record(
    path: Path,
    *,
    learning: str = "kolen_pollack",
    curve: Curve | None,
    transports: bool = False,
    tie: str | None = None,
    delta: float = 0.7,
    seed: int = 0,
    epochs: int = 10,
) -> Path:
    """Writes a run whose B stands at `curve` degrees to W (None: no reverse projections)."""
    random = np.random.default_rng(seed)
    forward = [synapse(name, shape, rules={"engaged": "-post.apical * pre.rate"}) for name, shape in SHAPES.items()]
    reverse = [
        synapse(f"{s.projection}~", s.shape, reverse_of=s.projection, tie=f"{tie} {s.projection}" if tie else None)
        for s in forward[1:]
        if curve
    ]
    declared = schema(
        *forward,
        *reverse,
        circuit="name: digits\n",
        circuit_name="digits",
        learning=learning,
        transports_weights=transports,
        environment={"torch": "2.11.0"},
        seed=seed,
        experiment="epochs: 10\n",
        populations=["v1", "stage1.block1", "stage2.block1"],
        metrics=["loss", "accuracy"],
    )
    with Recorder(path, declared) as recorder:
        for epoch in range(epochs + 1):
            weights = {s.projection: random.normal(size=s.shape) for s in forward}
            for depth, s in enumerate(reverse):
                angle = curve(epoch, depth / (len(reverse) - 1)) if curve else 90.0
                weights[s.projection] = at_angle(weights[s.reverse_of or ""], angle, random)
            at = delta * (curve(epoch, 0.5) if curve else 80.0)
            deltas = {name: at + 3 * index for index, name in enumerate(declared.populations)}
            recorder.snapshot(step=epoch * 23, epoch=epoch, weights=weights, delta_angles=deltas)
            recorder.metrics(step=epoch * 23, epoch=epoch, values={"loss": 2.3 / (epoch + 1)})
        recorder.result("test_accuracy", 0.98 - seed / 100)
        recorder.result("seconds", 4.5)
    return path


def synapse(projection: str, shape: tuple[int, ...], **more: Any) -> Synapse:
    """A synapse of which only what `more` says matters; with `reverse_of` it is a feedback synapse."""
    role: Any = "feedback" if "reverse_of" in more else "forward"
    return Synapse(projection=projection, source="a", target="b", role=role, shape=shape, wiring="conv", **more)


def schema(*synapses: Synapse, **more: Any) -> Schema:
    """A schema of which only `synapses` and what `more` says matter."""
    identity = dict.fromkeys(("circuit", "circuit_name", "learning", "experiment"), "")
    rest = {"transports_weights": False, "environment": {}, "seed": 0}
    return Schema(synapses=synapses, **(identity | rest | more))


def at_angle(w: np.ndarray, degrees: float, random: np.random.Generator) -> np.ndarray:
    """A random array of `w`'s length at exactly this angle to it."""
    other = random.normal(size=w.shape)
    other -= w * (np.vdot(other, w) / np.vdot(w, w))
    other *= np.linalg.norm(w) / np.linalg.norm(other)
    return np.cos(np.radians(degrees)) * w + np.sin(np.radians(degrees)) * other
