"""Bounds of projections and Dale's law: what weights may be, where they start, what `check` tells of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import counterstream as cs
from counterstream.circuits.constraints import Constraint, source_channels
from counterstream.circuits.wiring import Conv, Dense, Geometry

DENSE = Geometry(Dense(size=3), (4,), (3,))
FINITE = st.floats(-20, 20)
WEIGHTS = arrays(np.float64, (3, 4), elements=FINITE)
BOUNDS = st.tuples(st.none() | FINITE, st.none() | st.floats(21, 40)) | st.tuples(st.floats(-40, -21), FINITE)

CIRCUIT = """
populations:
  x: {input: [4, 3, 3]}
  v1: {transfer: relu, sign: {excitatory: 0.8}}
  v2: {transfer: tanh, sign: inhibitory}
  y: {transfer: softmax}
projections:
  - {name: a, from: x, to: v1, wiring: {conv: {channels: 6, kernel: 3}}, bounds: [null, 0.5]}
  - {name: b, from: v1, to: v2, wiring: {conv: {channels: 4, kernel: 3, groups: 2}}, bounds: [-1, 2]}
  - {name: c, from: v2, to: y, wiring: {dense: {size: 2}}, bounds: [-1, 1]}
learning: feedback_alignment
"""


@given(BOUNDS, WEIGHTS)
def test_admitted_weights_lie_between_the_bounds_and_those_that_did_have_not_moved(
    bounds: tuple[float | None, float | None], weights: np.ndarray
) -> None:
    low, high = bounds
    found = Constraint(lower=low, upper=high).admit(weights, DENSE)
    assert (found >= (-np.inf if low is None else low)).all()
    assert (found <= (np.inf if high is None else high)).all()
    inside = (weights >= (-np.inf if low is None else low)) & (weights <= (np.inf if high is None else high))
    assert (found[inside] == weights[inside]).all()
    assert Constraint(lower=low, upper=high).violation(found, DENSE) is None


def test_what_is_drawn_is_mirrored_at_the_bounds() -> None:
    drawn = np.array([[-0.3, 0.2, 1.25, 2.5], [0.0, 1.0, -1.1, 4.75], [0.5, -2.0, 3.0, 0.9]])
    expected = [[0.3, 0.2, 0.75, 0.5], [0.0, 1.0, 0.9, 0.75], [0.5, 0.0, 1.0, 0.9]]
    np.testing.assert_allclose(Constraint(lower=0, upper=1).admit(drawn, DENSE), expected, atol=1e-12)
    np.testing.assert_array_equal(Constraint(lower=0).admit(drawn, DENSE), np.abs(drawn))
    np.testing.assert_array_equal(Constraint(upper=0).admit(drawn, DENSE), -np.abs(drawn))
    signs = np.array([1, 1, -1, -1])
    np.testing.assert_array_equal(Constraint(excitatory=2).admit(drawn, DENSE), np.abs(drawn) * signs)


def test_the_channel_that_a_weight_comes_from() -> None:
    maps = Geometry(Dense(size=2), (3, 1, 2), (2,))
    np.testing.assert_array_equal(source_channels(maps), [[0, 0, 1, 1, 2, 2]] * 2)
    conv = Geometry(Conv(channels=4, kernel=1, groups=2), (6, 2, 2), (4, 2, 2))
    np.testing.assert_array_equal(source_channels(conv)[:, :, 0, 0], [[0, 1, 2], [0, 1, 2], [3, 4, 5], [3, 4, 5]])


def test_check_lists_them() -> None:
    explicit = cs.expand(cs.loads(CIRCUIT))
    assert cs.loads(cs.dump(explicit)) == explicit
    told = {verdict.subject: verdict.constraint for verdict in cs.check(explicit).verdicts if verdict.constraint}
    assert told == {
        "a": "w <= 0.5",
        "b": "-1 <= w <= 2, w >= 0 from 5 channels, w <= 0 from the others",
        "c": "-1 <= w <= 0, from rates of either sign (tanh)",
        "b~": "-1 <= w <= 2",  # the reverse keeps the projection's bounds; its neurons declare no sign
        "c~": "-1 <= w <= 1",
    }
    assert cs.check(cs.loads(CIRCUIT)).as_data()["verdicts"][0]["constraint"] == "w <= 0.5"


def test_a_feedback_population_by_hand_may_have_a_sign_too() -> None:
    text = cs.dump(cs.expand(cs.loads(CIRCUIT)))
    signed = cs.loads(text.replace("{partner: y, ", "{partner: y, sign: excitatory, "))
    told = {verdict.subject: verdict.constraint for verdict in cs.check(signed).verdicts}
    assert told["c~"] == "0 <= w <= 1"
    with pytest.raises(cs.CircuitError, match="a feedback population is excitatory or inhibitory as a whole"):
        cs.loads(text.replace("{partner: y, ", "{partner: y, sign: {excitatory: 0.5}, "))
