"""The angle between two arrays."""

import numpy as np
import pytest

from counterstream.engine.angle import angle


def test_angle_is_exact_at_both_ends() -> None:
    a = np.random.default_rng(0).normal(size=1000)
    assert angle(a, 3 * a) < 1e-6
    assert angle(a, -a) == pytest.approx(180)
    assert angle(np.array([1.0, 0]), np.array([0, 2.0])) == pytest.approx(90)
    assert angle(np.array([1.0, 0]), np.array([1.0, 1e-9])) == pytest.approx(np.degrees(1e-9), rel=1e-6)
    assert np.isnan(angle(a, 0 * a))
