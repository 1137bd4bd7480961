"""Losses add up over outputs, accuracies are averaged over those that stand for classes."""

import numpy as np
import pytest

from counterstream.engine.backends.registry import load_engine
from counterstream.engine.metrics import metrics_of

OBSERVED = {
    "loss/a": np.asarray(0.5),
    "loss/b": np.asarray(2.0),
    "accuracy/a": np.asarray(0.25),
    "accuracy/b": np.asarray(0.75),
    "running_mean/h": np.ones(3),
}


@pytest.mark.parametrize(
    ("classed", "expected"),
    [
        ({"a", "b"}, {"loss": 2.5, "accuracy": 0.5}),
        ({"b"}, {"loss": 2.5, "accuracy": 0.75}),
        (set(), {"loss": 2.5}),
    ],
)
def test_over_outputs(classed: set[str], expected: dict[str, float]) -> None:
    assert metrics_of(OBSERVED, frozenset(classed), load_engine("reference")) == expected


def test_a_circuit_without_loss_has_no_metrics() -> None:
    assert metrics_of({"running_mean/h": np.ones(3)}, frozenset(), load_engine("reference")) == {}
