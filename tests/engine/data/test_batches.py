"""The order of samples: a function of seed and epoch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterstream.engine.data import order, probe_indices, steps_per_epoch, training_batches


@given(samples=st.integers(1, 200), batch=st.integers(1, 50), seed=st.integers(0, 99), epoch=st.integers(0, 99))
def test_full_batches_without_repetition(samples: int, batch: int, seed: int, epoch: int) -> None:
    batches = list(training_batches(samples, batch, seed, epoch))
    assert len(batches) == steps_per_epoch(samples, batch) == samples // batch
    assert all(len(indices) == batch for indices in batches)
    seen = np.concatenate(batches) if batches else np.zeros(0, int)
    assert len(set(seen.tolist())) == len(seen)
    assert set(seen.tolist()) <= set(range(samples))


def test_order_is_a_function_of_seed_and_epoch() -> None:
    assert np.array_equal(order(50, seed=1, epoch=2), order(50, seed=1, epoch=2))
    assert not np.array_equal(order(50, seed=1, epoch=2), order(50, seed=1, epoch=3))
    assert not np.array_equal(order(50, seed=1, epoch=2), order(50, seed=2, epoch=1))


def test_different_samples_are_left_out_in_different_epochs() -> None:
    left_out = [set(range(10)) - set(np.concatenate(list(training_batches(10, 4, 0, epoch)))) for epoch in range(5)]
    assert len({frozenset(samples) for samples in left_out}) > 1


@pytest.mark.parametrize("size", [1, 7, 20, 30])
def test_the_probe_is_fixed(size: int) -> None:
    probe = probe_indices(20, size)
    assert len(probe) == min(size, 20)
    assert np.all(np.diff(probe) > 0)
    assert np.array_equal(probe, probe_indices(20, size))
