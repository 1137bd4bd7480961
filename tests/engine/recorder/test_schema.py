"""What a schema must hold before a file is made, by the text of its errors."""

import re

import numpy as np
import pytest

from counterstream.engine.recorder import RecordingError

from . import samples


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"synapses": [samples.synapse("v1->digit", projection="a/b")]},
            "projection 'a/b': a recorded name must not",
        ),
        (
            {"synapses": [samples.synapse("v1->digit", projection="step")]},
            "projection 'step': the recording keeps",
        ),
        ({"metrics": ["epoch"]}, "metric 'epoch': the recording keeps this name for its own coordinate"),
        ({"populations": ["."]}, "population '.': a recorded name must not be empty or '.'"),
        ({"metrics": ["loss", "loss"]}, "metric 'loss': recorded names must be unique (got it 2 times)"),
        (
            {"synapses": [samples.synapse("v1->digit", shape=(0, 3))]},
            "shape must list positive sizes (got (0, 3))",
        ),
        (
            {"synapses": [samples.synapse("v1->digit"), samples.synapse("v1->digit~", shape=(6, 10))]},
            "the reverse of 'v1->digit' must have its shape (10, 6) (got (6, 10))",
        ),
        (
            {"synapses": [samples.synapse("v1->digit", unseen=np.ones((3,), bool))]},
            "unseen must be boolean and broadcast to (10, 6) (got (3,))",
        ),
    ],
)
def test_a_schema_that_cannot_be_recorded_is_refused(changes: dict, message: str) -> None:
    with pytest.raises(RecordingError, match=re.escape(message)):
        samples.schema(**changes).check()


def test_all_problems_are_named_at_once() -> None:
    with pytest.raises(RecordingError) as caught:
        samples.schema(metrics=["step"], populations=["a/b"]).check()
    assert len(str(caught.value).splitlines()) == 2
