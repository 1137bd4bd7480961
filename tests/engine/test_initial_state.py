"""`compile(state=...)`: arrays in the place of what would be drawn."""

import numpy as np
import pytest

import counterstream as cs
from counterstream.engine.errors import SimulationError

from .nets import SYSTEMS, plain, plain_batch, residual, residual_batch, simulate


@pytest.mark.parametrize("learning", SYSTEMS)
def test_given_states_start_as_given_and_all_others_as_drawn(learning: str) -> None:
    bare = simulate(residual(learning=learning))
    shape = bare.weights["image->stem"].shape
    given = {"weights/image->stem": np.full(shape, 0.5), "gain/top": [1, 2, 3, 4, 5, 6]}
    found = simulate(residual(learning=learning), state=given).state_dict()
    for name, value in bare.state_dict().items():
        np.testing.assert_array_equal(found[name], given.get(name, value), err_msg=name)


def test_a_whole_state_goes_on_where_another_simulator_stands() -> None:
    one = simulate(residual())
    one.step(*residual_batch())
    state = {name: value for name, value in one.state_dict().items() if not name.startswith("steps/")}
    two = simulate(residual(), seed=7, state=state)
    for sim in (one, two):
        sim.step(*residual_batch(seed=1))
    for name in state:
        np.testing.assert_array_equal(two.get_state(name), one.get_state(name), err_msg=name)


def test_given_arrays_are_copied() -> None:
    weights = np.zeros(simulate(plain()).weights["h->answer"].shape)
    sim = simulate(plain(), state={"weights/h->answer": weights})
    weights += 1
    assert not sim.weights["h->answer"].any()
    sim.step(*plain_batch())
    assert (weights == 1).all()


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"weights/h->anser": np.zeros(2)}, r"unknown state 'weights/h->anser'\. Did you mean 'weights/h->answer'\?"),
        ({"bias/answer": np.zeros(2)}, r"bias/answer must have shape \[3\] \(got \[2\]\)"),
        ({"bias/answer": ["a", "b", "c"]}, r"'bias/answer' takes real numbers"),
    ],
)
def test_what_does_not_fit_is_named(state: dict[str, object], message: str) -> None:
    with pytest.raises(SimulationError, match=message):
        cs.compile(plain(), state=state)  # type: ignore[arg-type]
