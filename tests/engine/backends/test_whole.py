"""Lengths and angles of whole values, on both engines."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterstream.testing.conformance.candidate import close
from counterstream.testing.conformance.programs import Hand
from counterstream.testing.strategies.geometries import seeds

ENGINES = ["reference", "torch"]
shapes = st.one_of(st.just(()), st.tuples(st.integers(1, 6)), st.tuples(*[st.integers(1, 4)] * 3))


def both(a: np.ndarray, b: np.ndarray, engine: str, dtype: str = "float64", *, batched: bool = True) -> list[float]:
    """|a|, and the angle between a and b."""
    hand = Hand()
    first, second = (hand.input(name, array, batched=batched) for name, array in (("a", a), ("b", b)))
    length = hand.value("norm", first, shape=(), batched=False)
    between = hand.value("angle", first, second, shape=(), batched=False)
    return [float(found) for found in hand.run(length, between, engine=engine, dtype=dtype)]


@pytest.mark.parametrize("engine", ENGINES)
@given(shape=shapes, batched=st.booleans(), seed=seeds)
def test_as_defined(engine: str, shape: tuple[int, ...], batched: bool, seed: int) -> None:
    random = np.random.default_rng(seed)
    a, b = random.normal(size=(2, 3, *shape)) if batched else random.normal(size=(2, *shape))
    u, v = a / np.linalg.norm(a.ravel()), b / np.linalg.norm(b.ravel())
    expected = np.degrees(2 * np.arctan2(np.linalg.norm((u - v).ravel()), np.linalg.norm((u + v).ravel())))
    found = both(a, b, engine, batched=batched)
    close(np.asarray(found), np.asarray([np.linalg.norm(a.ravel()), expected]))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("engine", ENGINES)
def test_the_ends_are_exact_and_zero_has_no_angle(engine: str, dtype: str) -> None:
    a = np.random.default_rng(0).normal(size=(5, 4, 3, 2))
    assert both(a, a, engine, dtype)[1] == 0
    assert both(a, 2 * a, engine, dtype)[1] == 0
    assert both(a, -a, engine, dtype)[1] == pytest.approx(180)
    assert np.isnan(both(a, 0 * a, engine, dtype)[1])
    assert np.isnan(both(0 * a, 0 * a, engine, dtype)[1])
    assert both(0 * a, a, engine, dtype)[0] == 0
