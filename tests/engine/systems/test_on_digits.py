"""Stock systems learn the handwritten digits in a small conv net, in four epochs, to floors far above chance (10 %)."""

import pytest

import counterstream as cs

from .on_digits import accuracy, train, trained

FLOORS = {
    "uniform_sign_feedback": 0.93,
    "fixed_random_sign_feedback": 0.93,
    "batchwise_random_sign_feedback": 0.9,
    "direct_kolen_pollack": 0.9,
    "direct_random_target_projection": 0.45,
}
"""Of the accuracy on the test images."""
EPOCHS, RATE, DECAY = 4, 0.1, 0.02


@pytest.mark.slow
@pytest.mark.parametrize(("system", "floor"), FLOORS.items())
def test_on_digits(system: str, floor: float) -> None:
    assert accuracy(trained("plain_cnn", system, epochs=EPOCHS, rate=RATE, decay=DECAY)) > floor


DALE = """
populations:
  image:  {input: [1, 8, 8]}
  v1:     {normalize: batch, transfer: relu, sign: {excitatory: 0.8}}
  v2:     {normalize: batch, transfer: relu, sign: {excitatory: 0.8}}
  pooled: {sign: {excitatory: 0.8}}
  digit:  {transfer: softmax}
projections:
  - {from: image,  to: v1, wiring: {conv: {channels: 20, kernel: 3}}, bounds: [-1, 1]}
  - {from: v1, to: v2, wiring: {conv: {channels: 40, kernel: 3, stride: 2}}, bounds: [-0.5, 0.5]}
  - {from: v2, to: pooled, wiring: {pool: {kind: average, size: global}}}
  - {from: pooled, to: digit, wiring: {dense: {size: 10}}, bounds: [-2, 2]}
learning: kolen_pollack
parameters: {decay: 0.02}
"""


@pytest.mark.slow
def test_a_net_under_dales_law_on_digits() -> None:
    assert accuracy(train(cs.loads(DALE), epochs=EPOCHS, rate=RATE)) > 0.6
