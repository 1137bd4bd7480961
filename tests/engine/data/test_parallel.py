"""Work by several processes."""

import os

import pytest

from counterstream.engine.data import DataError
from counterstream.engine.data.parallel import in_order


def test_results_come_in_the_order_of_the_tasks() -> None:
    assert list(in_order(abs, [-3, 2, -1], 2)) == [3, 2, 1]


def test_a_process_that_dies_is_named() -> None:
    with pytest.raises(DataError, match="a process that shared the work died"):
        list(in_order(os._exit, [3, 4], 2))
