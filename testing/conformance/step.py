"""A step of backprop, written by hand: what the points of the contract are tried on."""

from typing import Any

import numpy as np

from ...circuits.wiring import Conv, Dense, Shape
from ...engine.compiler.program import Program
from ..strategies.geometries import geometry
from .candidate import Array
from .programs import Hand

RATE = 0.1
CONV = geometry(Conv(channels=3, kernel=(3, 3), stride=(2, 2)), (2, 7, 7))
DENSE = geometry(Dense(size=5), CONV.upper)


def step(samples: int = 4) -> tuple[Program, dict[str, Array]]:
    """The program and its inputs: a convolution, normalization, a dense output, SGD. States keep their names."""
    random, hand = np.random.default_rng(samples), Hand()
    x = hand.input("image-1.rate", random.normal(size=(samples, *CONV.lower)))
    label = hand.input("label", random.integers(0, 5, samples))
    constants = np.random.default_rng(0)
    w, u = (
        hand.input(name, constants.normal(size=laid.weight_shape or ()) * 0.3, batched=False)
        for name, laid in (("a->b", CONV), ("b->c", DENSE))
    )
    channels: Shape = (3,)
    gain, bias, mean, variance = (
        hand.input(name, np.full(3, start), batched=False)
        for name, start in (("gain", 1.5), ("bias", 0.5), ("mean", 0.0), ("variance", 1.0))
    )
    rate = hand.input("rate", np.asarray(RATE), batched=False)
    soma = hand.value("project", x, w, shape=CONV.upper, geometry=CONV)
    whole = hand.value("normalize", soma, gain, bias, mean, variance, shape=CONV.upper, epsilon=1e-5, momentum=0.1)
    drive, level, deviation, new_mean, _ = hand.parts(whole, CONV.upper, *[channels] * 4)
    y = hand.value("transfer", drive, shape=CONV.upper, function="tanh")
    logits = hand.value("project", y, u, shape=(5,), geometry=DENSE)
    loss = hand.value("loss", logits, label, shape=(), batched=False, loss="cross_entropy")
    delta = hand.value("error", logits, label, shape=(5,), loss="cross_entropy")
    back = hand.value("project_back", delta, u, shape=CONV.upper, geometry=DENSE)
    gated = hand.value("gate", back, drive, y, shape=CONV.upper, function="tanh")
    whole = hand.value("normalize_back", gated, soma, gain, level, deviation, shape=CONV.upper)
    error, *_ = hand.parts(whole, CONV.upper, channels, channels)
    moved = []
    for weight, lower, upper, laid in ((w, x, error, CONV), (u, y, delta, DENSE)):
        how: dict[str, Any] = {"shape": laid.weight_shape, "batched": False}
        drive = hand.value("correlate", lower, upper, geometry=laid, **how)
        by_rate = hand.value("scale", hand.value("multiply", rate, drive, **how), factor=-1.0, **how)
        moved.append(hand.value("add", weight, by_rate, **how))
    results = {"loss": loss, "a->b": moved[0], "b->c": moved[1], "mean": new_mean, "rates": y}
    return Program("engaged", tuple(hand.values), results), hand.arrays
