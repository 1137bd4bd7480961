"""Gain and angle of the weight mirror in every layer of two circuits, beside theory: the table of docs/mirror.md.

    python benchmarks/mirror_gain.py [--seed 0] [--settle 100] [--draws 40]

The forward weights rest. weight_mirror runs as it ships, with no constant changed; after `settle` mirror steps B has
forgotten how it started, and `draws` states of B, 20 steps apart (0.9^20 = 0.12 of a state is left in the next), are
looked at. Of each layer, over those draws:

    gain    <W, B> / <W, W>: the mean, its standard error, and the draw that is farthest from 1
    angle   between W and B in degrees: atan of the mean tangent, beside theory (engine/compiler/mirror.py)

Taps that no position sees (of 3x3 kernels on 1x1 maps) are not synapses and are left out.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

import counterstream as cs
from counterstream.circuits.plasticity import answer_of
from counterstream.engine.angle import angle
from counterstream.engine.compiler.mirror import expected_angle_tangent, maps_needed
from counterstream.engine.simulator import Simulator

CIRCUITS: dict[str, dict[str, Any]] = {
    "digits_resnet": {},
    "resnet18": {"size": [1, 8, 8], "classes": 10, "stem": "small", "width": 0.25},
}
SPACING = 20  # mirror steps between two draws


@dataclass(frozen=True)
class Layer:
    """What the draws of one layer come to."""

    label: str
    weights: tuple[int, ...]
    seen: int
    """Taps that are synapses."""
    positions: int
    maps: int
    gains: np.ndarray
    """One a draw."""
    tangents: np.ndarray
    theory: float
    """Tangent."""

    @property
    def gain(self) -> float:
        return float(self.gains.mean())

    @property
    def error(self) -> float:
        """The standard error of the mean gain."""
        return float(self.gains.std(ddof=1) / len(self.gains) ** 0.5)

    @property
    def farthest(self) -> float:
        return float(self.gains[np.abs(self.gains - 1).argmax()])

    @property
    def over_theory(self) -> float:
        return float(self.tangents.mean()) / self.theory

    def row(self, circuit: str) -> str:
        """A line of the table."""
        shape = "x".join(map(str, self.weights))
        taps = f", {self.seen} of {prod(self.weights[2:])} taps" if self.seen < prod(self.weights[2:]) else ""
        angle, theory = (f"{np.degrees(np.arctan(x)):.2f}" for x in (self.tangents.mean(), self.theory))
        gain = f"{self.gain:.4f} ± {self.error:.4f}"
        cells = (
            circuit,
            self.label,
            shape + taps,
            self.positions,
            self.maps,
            gain,
            f"{self.farthest:.3f}",
            angle,
            theory,
        )
        return " | ".join(("", *map(str, cells), f"{self.over_theory:.3f}", "")).strip()


HEADINGS = (
    "circuit",
    "layer",
    "weights",
    "positions",
    "maps a step",
    "gain",
    "farthest draw",
    "angle, °",
    "theory, °",
    "tangent over theory",
)


def measured(sim: Simulator, settle: int, draws: int) -> Iterator[Layer]:
    """Every layer with a mirror, in the order of the circuit."""
    graph = sim.compiled.graph
    mode = sim.compiled.circuit.modes["mirror"]
    plasticities = {p.subject.removesuffix("~"): p for p in sim.compiled.plasticity if p.mode == "mirror"}
    w = {label: sim.weights[label][_seen(sim, label)] for label in graph.projections if label in plasticities}
    gains: dict[str, list[float]] = {label: [] for label in w}
    tangents: dict[str, list[float]] = {label: [] for label in w}
    sim.run("mirror", steps=settle)
    for _ in range(draws):
        sim.run("mirror", steps=SPACING)
        for label, forward in w.items():
            b = sim.weights[f"{label}~"][_seen(sim, label)]
            gains[label].append(float(forward @ b / (forward @ forward)))
            tangents[label].append(float(np.tan(np.radians(angle(forward, b)))))
    for label in w:
        geometry = graph.geometries[label]
        known = mode, geometry, plasticities[label], answer_of(graph, label, mode)
        yield Layer(
            label=label,
            weights=tuple(sim.weights[label].shape),
            seen=int(_seen(sim, label)[0, 0].sum()),
            positions=geometry.positions,
            maps=maps_needed(*known),
            gains=np.array(gains[label]),
            tangents=np.array(tangents[label]),
            theory=expected_angle_tangent(*known),
        )


def _seen(sim: Simulator, label: str) -> np.ndarray:
    """Which weights are synapses at all."""
    unseen, shape = sim.compiled.graph.geometries[label].unseen, sim.weights[label].shape
    return np.ones(shape, bool) if unseen is None else ~np.broadcast_to(unseen, shape)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--settle", type=int, default=100)
    parser.add_argument("--draws", type=int, default=40)
    given = parser.parse_args()
    lines, notes = [], []
    for name, options in CIRCUITS.items():
        sim = cs.compile(cs.load(name, learning="weight_mirror", options=options), seed=given.seed)
        start = time.perf_counter()
        layers = list(measured(sim, given.settle, given.draws))
        lines += [layer.row(name) for layer in layers]
        notes.append(note(name, options, layers, time.perf_counter() - start))
    print(f"| {' | '.join(HEADINGS)} |\n|{'---|' * len(HEADINGS)}", *lines, "", *notes, sep="\n")


def note(name: str, options: dict[str, Any], layers: list[Layer], seconds: float) -> str:
    """What is farthest from 1."""
    told = ", ".join(f"{key}: {value}" for key, value in options.items())
    gain = max(layers, key=lambda layer: abs(layer.gain - 1))
    tangent = max(layers, key=lambda layer: abs(layer.over_theory - 1))
    return (
        f"{name}{f' ({told})' if told else ''}: {len(layers)} layers, farthest gain {gain.gain:.4f} ({gain.label}), "
        f"farthest tangent {tangent.over_theory:.3f} of theory ({tangent.label}), {seconds:.0f} s."
    )


if __name__ == "__main__":
    main()
