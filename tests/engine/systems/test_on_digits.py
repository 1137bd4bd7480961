"""Stock systems learn the handwritten digits in a small conv net, in four epochs, to floors far above chance (10 %)."""

from math import cos, pi

import pytest

import counterstream as cs
from counterstream.engine.data import digits, training_batches

FLOORS = {
    "uniform_sign_feedback": 0.93,
    "fixed_random_sign_feedback": 0.93,
    "batchwise_random_sign_feedback": 0.9,
    "direct_kolen_pollack": 0.9,
    "direct_random_target_projection": 0.45,
}
"""Of the accuracy on the test images."""
EPOCHS, BATCH = 4, 64


@pytest.mark.slow
@pytest.mark.parametrize(("system", "floor"), FLOORS.items())
def test_on_digits(system: str, floor: float) -> None:
    data = digits()
    circuit = cs.load("plain_cnn", learning=system, parameters={"decay": 0.02})
    sim = cs.compile(circuit, consolidation=cs.Consolidation(rate=0.1, momentum=0.9))
    every = [rows for epoch in range(EPOCHS) for rows in training_batches(len(data.train), BATCH, 0, epoch)]
    for step, rows in enumerate(every):
        batch = data.train.take(rows)
        sim.rate = (1 + cos(pi * step / len(every))) / 2
        sim.step(batch.images, batch.target)
        for name, mode in sim.compiled.modes.items():
            if mode.mode.isolates:
                sim.run(name)
    test = data.test.take(range(len(data.test)))
    assert sim.evaluate(test.images, test.target)["accuracy"] > floor
