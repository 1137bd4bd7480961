"""Training on the handwritten digits in a few epochs, other modes beside the engaged one included."""

from collections.abc import Mapping
from math import cos, pi
from typing import Any

import counterstream as cs
from counterstream.engine.data import digits, training_batches
from counterstream.engine.simulator import Simulator

BATCH = 64


def trained(
    circuit: str,
    learning: str,
    *,
    epochs: int,
    rate: float,
    decay: float,
    options: Mapping[str, Any] | None = None,
    parameters: Mapping[str, float] | None = None,
) -> Simulator:
    """A stock circuit after training: see `train`."""
    loaded = cs.load(circuit, learning=learning, parameters={"decay": decay, **(parameters or {})}, options=options)
    return train(loaded, epochs=epochs, rate=rate)


def train(circuit: cs.Circuit, *, epochs: int, rate: float) -> Simulator:
    """The circuit after training, momentum 0.9 and a cosine schedule."""
    data = digits()
    sim = cs.compile(circuit, consolidation=cs.Consolidation(rate=rate, momentum=0.9))
    every = [rows for epoch in range(epochs) for rows in training_batches(len(data.train), BATCH, 0, epoch)]
    for step, rows in enumerate(every):
        batch = data.train.take(rows)
        sim.rate = (1 + cos(pi * step / len(every))) / 2
        sim.step(batch.images, batch.target)
        for name, programs in sim.compiled.modes.items():
            if programs.mode.isolates:
                sim.run(name)
            elif name != sim.compiled.data_mode:
                sim.step(batch.images, batch.target, mode=name)
    return sim


def accuracy(sim: Simulator) -> float:
    """Of the 360 test images."""
    test = digits().test
    batch = test.take(range(len(test)))
    return sim.evaluate(batch.images, batch.target)["accuracy"]


def matrix_angles(sim: Simulator) -> list[float]:
    """Degrees between W and B, in the order of the forward pass."""
    batch = digits().train.take(range(128))
    return list(sim.alignment(batch.images, batch.target).matrix_angles.values())
