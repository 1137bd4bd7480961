"""Lengths and angles of whole values, on both engines."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from .programs import Hand, close, seeds

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


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("degrees", [1e-4, 0.01, 1.0, 90.0, 179.0])
def test_small_angles_of_many_numbers_survive_single_precision(engine: str, degrees: float) -> None:
    """A million numbers: float32 throughout would be off by more than the smallest of these angles."""
    random = np.random.default_rng(1)
    a, across = random.normal(size=(2, 64, 16, 32, 32))
    across -= a * np.vdot(a, across) / np.vdot(a, a)
    across *= np.linalg.norm(a) / np.linalg.norm(across)
    b = np.cos(np.radians(degrees)) * a + np.sin(np.radians(degrees)) * across
    length, found = both(a, 3 * b, engine, "float32")
    assert found == pytest.approx(degrees, rel=1e-4, abs=1e-5)
    assert length == pytest.approx(np.linalg.norm(a), rel=1e-5)
