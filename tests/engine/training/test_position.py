"""A run's place in its data is its step: what follows does not depend on where it was taken up, or by how many."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from counterstream.engine.data import training_batches
from counterstream.engine.training.position import Course

from .test_evaluation import Part


@given(
    samples=st.integers(10, 60), batch=st.integers(3, 10), processes=st.integers(1, 3),
    seed=st.integers(0, 5), data=st.data(),
)  # fmt: skip
def test_what_is_left_of_an_epoch(samples: int, batch: int, processes: int, seed: int, data: st.DataObject) -> None:
    course = Course(samples=samples, batch=batch, epochs=3, seed=seed)
    assert course.steps == 3 * course.per_epoch
    step = data.draw(st.integers(0, course.steps - 1))
    epoch, done = divmod(step, course.per_epoch)
    expected = list(training_batches(samples, batch, seed, epoch))[done:]
    parts = [list(course.rest_of_epoch(step, Part(place=place, of=processes))) for place in range(processes)]
    assert {draw.epoch for part in parts for draw in part} == {epoch}
    whole = [np.concatenate([part[number].indices for part in parts]) for number in range(len(expected))]
    assert all(np.array_equal(*pair) for pair in zip(whole, expected, strict=True))
    sizes = {len(part[0].indices) for part in parts}
    assert max(sizes) - min(sizes) <= 1
