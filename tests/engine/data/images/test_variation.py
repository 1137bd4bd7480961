"""What is random about an image: a function of (seed, epoch, sample), in the stated distribution."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterstream.engine.data.images.variation import Varying, generator

words = st.integers(0, 2**31 - 1)


@given(seed=words, epoch=st.integers(0, 100_000), sample=words)
def test_a_function_of_seed_epoch_and_sample(seed: int, epoch: int, sample: int) -> None:
    varying = Varying(mixup=0.2)
    once, again = (varying.of(seed, epoch, sample, 2**31) for _ in range(2))
    assert once.share == again.share
    assert once.partner == again.partner
    assert np.array_equal(once.cut.areas, again.cut.areas)
    for other in ((seed + 1, epoch, sample), (seed, epoch + 1, sample), (seed, epoch, sample + 1)):
        assert not np.array_equal(varying.of(*other, 2**31).cut.areas, once.cut.areas)


@given(
    width=st.integers(1, 3000),
    height=st.integers(1, 3000),
    scale=st.tuples(st.floats(0.001, 1), st.floats(0.001, 1)).map(lambda pair: tuple(sorted(pair))),
    ratio=st.tuples(st.floats(0.1, 10), st.floats(0.1, 10)).map(lambda pair: tuple(sorted(pair))),
    sample=words,
)
def test_a_box_lies_within_the_image(
    width: int, height: int, scale: tuple[float, float], ratio: tuple[float, float], sample: int
) -> None:
    varying = Varying(scale=scale, ratio=ratio)
    left, upper, right, lower = varying.box(varying.of(0, 0, sample, 1).cut, (width, height))
    assert 0 <= left < right <= width
    assert 0 <= upper < lower <= height
    assert all(isinstance(edge, int) for edge in (left, upper, right, lower))


def test_areas_and_ratios_are_distributed_as_stated() -> None:
    varying = Varying(scale=(0.2, 0.5), ratio=(0.5, 2))
    boxes = np.array([varying.box(varying.of(0, 0, sample, 1).cut, (1000, 1000)) for sample in range(2000)])
    wide, high = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    areas, ratios = wide * high / 1e6, np.log2(wide / high)
    assert areas.min() == pytest.approx(0.2, abs=0.01)
    assert areas.max() == pytest.approx(0.5, abs=0.01)
    assert areas.mean() == pytest.approx(0.35, abs=0.01)
    assert ratios.mean() == pytest.approx(0, abs=0.06)
    assert ratios.std() == pytest.approx(2 / np.sqrt(12), rel=0.05)
    middles = (boxes[:, 0] / (1000 - wide)).mean(), (boxes[:, 1] / (1000 - high)).mean()
    assert middles == pytest.approx((0.5, 0.5), abs=0.03)
    flips = [varying.of(0, 0, sample, 1).cut.flip for sample in range(2000)]
    assert np.mean(flips) == pytest.approx(0.5, abs=0.04)


def test_partners_and_shares_of_mixup() -> None:
    found = [Varying(mixup=0.4).of(1, 2, sample, 50) for sample in range(3000)]
    shares, partners = np.array([v.share for v in found]), np.array([v.partner for v in found])
    assert shares.mean() == pytest.approx(0.5, abs=0.03)
    assert shares.var() == pytest.approx(1 / (4 * (2 * 0.4 + 1)), rel=0.06)  # of Beta(a, a)
    assert np.unique(partners).tolist() == list(range(50))
    assert not np.array_equal(found[0].cut.areas, found[0].other.areas)


def test_neighbours_are_uncorrelated() -> None:
    """Keys and counters that differ in one bit give unrelated numbers: the generator mixes them."""
    numbers = np.array([generator(0, 0, sample).random(2) for sample in range(3000)])
    assert abs(np.corrcoef(numbers[:-1, 0], numbers[1:, 0])[0, 1]) < 0.05
    assert abs(np.corrcoef(numbers.T)[0, 1]) < 0.05
