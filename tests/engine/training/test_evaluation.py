"""Top-1, top-5 and loss: every sample counts once, whoever shares them and however they are cut."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterstream.engine.data import InMemory
from counterstream.engine.simulator import compile as compile_
from counterstream.engine.training import evaluate
from counterstream.engine.training.company import Company
from counterstream.engine.training.evaluation import TOP, standing
from counterstream.models.library import loads

CIRCUIT = """
name: wide
populations:
  image: {input: [1, 3, 3]}
  flat: {}
  digit: {transfer: softmax}
projections:
  - {from: image, to: flat, wiring: flatten}
  - {from: flat, to: digit, wiring: {dense: {size: CLASSES}}}
learning: backprop
"""


@dataclass(frozen=True)
class Part(Company):
    """One of several processes, asked one after the other: what each would send is kept."""

    place: int = 0
    of: int = 1
    sent: list[list[float]] = field(default_factory=list)

    @property
    def size(self) -> int:
        return self.of

    @property
    def rank(self) -> int:
        return self.place

    def sums(self, numbers):  # type: ignore[no-untyped-def]
        self.sent.append(list(numbers))
        return list(map(sum, zip(*self.sent, strict=True)))


def split(samples: int, classes: int) -> InMemory:
    random = np.random.default_rng(0)
    images = random.normal(size=(samples, 1, 3, 3)).astype(np.float32)
    return InMemory(images, random.integers(0, classes, samples))


SIM = compile_(loads(CIRCUIT.replace("CLASSES", "9")))
SPLIT = split(101, 9)


@settings(max_examples=30)
@given(processes=st.integers(1, 7), chunk=st.integers(1, 101))
def test_shares_and_chunks_change_nothing(processes: int, chunk: int) -> None:
    whole = evaluate(SIM, SPLIT)
    sent: list[list[float]] = []
    for place in range(processes):
        found = evaluate(SIM, SPLIT, company=Part(place=place, of=processes, sent=sent), chunk=chunk)
    assert (found.samples, found.accuracy, found.top5_accuracy) == (101, whole.accuracy, whole.top5_accuracy)
    assert found.loss == pytest.approx(whole.loss, rel=1e-6)


def test_it_is_what_the_simulator_says() -> None:
    found, said = evaluate(SIM, SPLIT), SIM.evaluate(SPLIT.images, SPLIT.labels)
    assert found.accuracy == pytest.approx(said["accuracy"], abs=1e-7)
    assert found.loss == pytest.approx(said["loss"], rel=1e-6)
    rates = SIM.predict(SPLIT.images)
    first = np.argsort(-rates, axis=1, kind="stable")[:, :TOP]
    assert found.top5_accuracy == np.mean((first == SPLIT.labels[:, None]).any(axis=1))
    assert found.figures.keys() == {"loss", "accuracy", "top5_accuracy"}


def test_among_five_classes_all_are_first() -> None:
    five = compile_(loads(CIRCUIT.replace("CLASSES", "5")))
    found = evaluate(five, split(20, 5))
    assert found.top5_accuracy is None
    assert found.figures.keys() == {"loss", "accuracy"}


@given(st.data())
def test_standing_is_the_place_in_a_stable_order(data: st.DataObject) -> None:
    samples, classes = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 8))
    scores = np.array(data.draw(st.lists(st.lists(st.integers(-2, 2), min_size=classes, max_size=classes),
                                         min_size=samples, max_size=samples)), float)  # fmt: skip
    labels = np.array(data.draw(st.lists(st.integers(0, classes - 1), min_size=samples, max_size=samples)))
    order = np.argsort(-scores, axis=1, kind="stable")
    expected = [list(row).index(label) for row, label in zip(order, labels, strict=True)]
    assert standing(scores, labels).tolist() == expected


def test_what_is_no_number_is_never_right() -> None:
    scores = np.array([[np.nan, 1.0, 2.0], [1.0, np.nan, 2.0]])
    assert standing(scores, np.array([0, 2])).tolist() == [3, 0]
