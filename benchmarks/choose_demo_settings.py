"""How the demo's common settings were chosen: every candidate on a validation split of the training images.

    python benchmarks/choose_demo_settings.py [--seeds 2] [--epochs 10]

Trains the five systems of the demo under each candidate setting with 288 of the 1437 training images held out, and
prints validation accuracy and matrix angles. The 360 test images are never looked at.
"""

import argparse
import itertools
import math
from collections.abc import Iterator
from statistics import mean, median

import counterstream as cs
from counterstream.engine.angle import angle
from counterstream.engine.data import digits, training_batches
from counterstream.engine.simulator import Simulator

SYSTEMS = ("backprop", "feedback_alignment", "sign_symmetry", "weight_mirror", "kolen_pollack")
VALIDATION = 288
BATCH = 64


def candidates() -> Iterator[tuple[float, float]]:
    """(rate, decay): the rates of first trials, and decays from usual to large."""
    yield from itertools.product((0.05, 0.1), (5e-3, 1e-2, 2e-2, 3e-2))


def train(system: str, rate: float, decay: float, seed: int, epochs: int) -> Simulator:
    """One run as the demo trains it: SGD, momentum 0.9, cosine schedule, one mirror step after each engaged step."""
    data = digits(validation=VALIDATION)
    circuit = cs.load("digits_resnet", learning=system, parameters={"decay": decay})
    sim = cs.compile(circuit, seed=seed, consolidation=cs.Consolidation(rate=rate, momentum=0.9))
    steps = epochs * (len(data.train) // BATCH)
    for epoch in range(epochs):
        for batch in training_batches(len(data.train), BATCH, seed, epoch):
            sim.rate = 0.5 * (1 + math.cos(math.pi * sim.steps["engaged"] / steps))
            sim.step(data.train.images[batch], data.train.labels[batch])
            if "mirror" in sim.steps:
                sim.run("mirror")
    return sim


def matrix_angles(sim: Simulator) -> list[float]:
    """Degrees between each W and its B, at the end."""
    return [angle(sim.weights[name], sim.weights[f"{name}~"]) for name in sim.weights if f"{name}~" in sim.weights]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=10)
    options = parser.parse_args()
    held_out = digits(validation=VALIDATION).validation
    assert held_out is not None
    print(f"{'rate':>6} {'decay':>7} {'system':<20} {'validation %':>13} {'median angle':>13} {'largest':>8}")
    for (rate, decay), system in itertools.product(candidates(), SYSTEMS):
        sims = [train(system, rate, decay, seed, options.epochs) for seed in range(options.seeds)]
        accuracy = mean(100 * sim.evaluate(held_out.images, held_out.labels)["accuracy"] for sim in sims)
        angles = [matrix_angles(sim) for sim in sims]
        middle, largest = median(itertools.chain(*angles)), max(itertools.chain(*angles))
        print(f"{rate:6g} {decay:7g} {system:<20} {accuracy:13.1f} {middle:13.1f} {largest:8.1f}", flush=True)


if __name__ == "__main__":
    main()
