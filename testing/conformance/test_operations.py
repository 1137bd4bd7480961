"""Every operation, in every form, in every precision of the engine, against the reference."""

from collections.abc import Callable

import numpy as np
import pytest

from .candidate import Candidate, close
from .cases import CASES, answers, reference_answers
from .programs import Hand


@pytest.mark.parametrize("case", CASES)
def test_operation(candidate: Candidate, case: str, row: Callable[[str, str], None]) -> None:
    row("operations", CASES[case].operation)
    found, expected = answers(candidate).of(case), reference_answers().of(case)
    for number, (ours, theirs) in enumerate(zip(found, expected, strict=True)):
        close(ours, theirs, candidate.tolerances.number, f"result {number}")


def test_small_angles_of_many_numbers(fine: Candidate) -> None:
    """Hundreds of thousands of numbers: sums in float32 throughout would be off by more than such an angle."""
    random, degrees = np.random.default_rng(1), 0.01
    a, beside = random.normal(size=(2, 16, 16, 32, 32))
    beside -= a * np.vdot(a, beside) / np.vdot(a, a)
    beside *= np.linalg.norm(a) / np.linalg.norm(beside)
    hand = Hand()
    first = hand.input("a", a)
    turned = hand.input("b", 3 * (np.cos(np.radians(degrees)) * a + np.sin(np.radians(degrees)) * beside))
    opposite = hand.input("c", -a)
    asked = [hand.value("angle", first, other, shape=(), batched=False) for other in (first, turned, opposite)]
    found = [float(angle) for angle in hand.answer(fine, *asked)]
    assert found == [pytest.approx(0, abs=1e-6), pytest.approx(degrees, rel=1e-4, abs=1e-5), pytest.approx(180)]
