"""What the strategies draw holds together: engines can run it."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import counterstream as cs
from counterstream.circuits.wiring import Geometry
from counterstream.testing.strategies import activities, batches, circuits, geometries, weights


@settings(max_examples=50)
@given(geometries())
def test_a_drawn_wiring_joins_the_shapes_that_come_with_it(geometry: Geometry) -> None:
    assert geometry.wiring.target_shape(geometry.lower, geometry.upper) == geometry.upper
    assert (geometry.weight_shape is not None) == (geometry.wiring.kind in ("dense", "conv"))


@settings(max_examples=20)
@given(st.data())
def test_drawn_weights_and_activities_have_the_wiring_s_shapes(data: st.DataObject) -> None:
    geometry = data.draw(geometries(weighted=True))
    assert data.draw(weights(geometry)).shape == geometry.weight_shape
    assert data.draw(activities(geometry.lower, 2)).shape == (2, *geometry.lower)


@settings(max_examples=15)
@given(st.data())
def test_a_drawn_batch_is_one_step_of_its_circuit(data: st.DataObject) -> None:
    circuit = data.draw(circuits(learning="feedback_alignment", layers=2))
    images, target = data.draw(batches(circuit))
    sim = cs.compile(circuit, engine="reference", dtype="float64")
    with np.errstate(all="ignore"):  # numbers may be large, and exp of them larger
        assert "loss" in sim.step(images, target)
