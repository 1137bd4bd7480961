"""Taking a run up again: cut back to a step, go on, as if it had never stopped; and what is refused."""

import re
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterstream.analysis import Run
from counterstream.engine.recorder import Metrics, RecordingError, Signals, Weights

from . import samples
from .reading import GROUPS, everywhere, steps_of


def recorded(path: Path, steps: range) -> Path:
    with samples.recorder(path).prepare() as recorder:
        for step in steps:
            samples.record(recorder, step)
    return path


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(first=st.integers(0, 8), cut=st.integers(-1, 9), further=st.integers(0, 4), again=st.integers(-1, 9))
def test_a_resumed_file_is_that_of_a_run_that_went_through(
    tmp_path_factory: Any, first: int, cut: int, further: int, again: int
) -> None:
    path = recorded(tmp_path_factory.mktemp("resume") / "run.h5", range(first))
    kept = [step for step in range(first) if step <= cut]
    with samples.recorder(path).resume(cut) as recorder:
        assert recorder.last_steps == (dict.fromkeys(GROUPS, kept[-1]) if kept else {})
        for step in range(len(kept), len(kept) + further):
            samples.record(recorder, step)
    assert steps_of(path) == everywhere(list(range(len(kept) + further)))
    with samples.recorder(path).resume(again):  # and nothing more
        pass
    left = [step for step in range(len(kept) + further) if step <= again]
    assert steps_of(path) == everywhere(left)
    with h5py.File(path) as file:
        assert file.attrs["resumptions"] == 2
        assert file.attrs["status"] == "complete"
        assert len(file["synapses/v1->digit/weights"]) == len(file["metrics/loss"]) == len(left)


def test_without_a_step_nothing_is_taken_back(tmp_path: Path) -> None:
    path = recorded(tmp_path / "run.h5", range(3))
    with samples.recorder(path).resume() as recorder:
        samples.record(recorder, 3)
    assert steps_of(path) == everywhere([0, 1, 2, 3])


def test_each_group_is_cut_at_the_step(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    with samples.recorder(path).prepare() as recorder:
        for step in range(0, 100, 2):
            recorder.write(step=step, epoch=step / 4, metrics=samples.metrics(step))
            if step % 10 == 0:
                recorder.write(step=step, epoch=step / 4, weights=samples.weights(step))
    samples.recorder(path).resume(41).close()
    assert steps_of(path)["metrics"] == list(range(0, 42, 2))
    assert steps_of(path)["synapses"] == [0, 10, 20, 30, 40]


def test_a_reader_sees_that_the_run_goes_on(tmp_path: Path) -> None:
    path = recorded(tmp_path / "run.h5", range(1))
    with samples.recorder(path).resume(), h5py.File(path, "r") as file:
        assert file.attrs["status"] == "running"


def test_a_record_that_was_never_confirmed_is_written_over(tmp_path: Path) -> None:
    """As a kill between the data and the index leaves it."""
    path = recorded(tmp_path / "run.h5", range(3))
    with h5py.File(path, "r+") as file:
        for group in GROUPS:
            file[group]["step"][2] = -1
    with samples.recorder(path).resume() as recorder:
        assert recorder.last_steps == dict.fromkeys(GROUPS, 1)
        samples.record(recorder, 5)
    assert steps_of(path) == everywhere([0, 1, 5])


@pytest.mark.parametrize(
    ("recordables", "about", "message"),
    [
        (None, {"circuit": "format: 1\nname: other\n"}, "circuit: the explicit circuit must be the same"),
        (None, {"learning": "backprop"}, "learning must be backprop (got kolen_pollack)"),
        (None, {"seed": 8}, "seed must be 8 (got 7)"),
        ([Metrics(["loss"])], {}, "/metrics/accuracy: must not be there (the file records it)"),
        ([Metrics(["loss", "accuracy", "rate"])], {}, "/metrics/rate: must be there (the file lacks it)"),
        (
            [
                Weights(
                    [
                        samples.synapse(name, shape=(10, 7)) if "digit" in name else samples.synapse(name)
                        for name in samples.ORDER
                    ]
                )
            ],
            {},
            "/synapses/v1->digit/weights: shape must be (None, 10, 7) (got (None, 10, 6))",
        ),
        (samples.everything(precision="float64"), {}, "dtype must be float64 (got float32)"),
        (
            [Signals(samples.SIGNALS, [3, 8, 22], samples.LABELS)],
            {},
            "/signals/sample: its numbers must be the same",
        ),
        (
            [Weights([samples.synapse(name, source="w") for name in samples.ORDER])],
            {},
            "/synapses/image->v1/weights: source must be w (got v1)",
        ),
    ],
)
def test_a_file_of_another_run_is_refused_by_name(tmp_path: Path, recordables: Any, about: Any, message: str) -> None:
    path = recorded(tmp_path / "run.h5", range(3))
    before = path.read_bytes()
    replaced = {one.group: one for one in samples.everything()} | {one.group: one for one in recordables or ()}
    with pytest.raises(RecordingError, match=re.escape("the file holds another run and is left as it is")) as caught:
        samples.recorder(path, *replaced.values(), **about).resume()
    assert message in str(caught.value)
    assert path.read_bytes() == before


def test_filters_and_environment_may_differ(tmp_path: Path) -> None:
    path = recorded(tmp_path / "run.h5", range(2))
    compressed = samples.everything(compression="gzip")
    with samples.recorder(path, *compressed, environment={"torch": "9"}, experiment="epochs: 3\n").resume() as recorder:
        samples.record(recorder, 2)
    assert steps_of(path) == everywhere([0, 1, 2])


def test_epochs_go_on_where_they_stood(tmp_path: Path) -> None:
    path = recorded(tmp_path / "run.h5", range(5))
    with samples.recorder(path).resume(3) as recorder:
        with pytest.raises(RecordingError, match=r"epoch of metrics must not be less .* 0\.75 \(got 0\.5\)"):
            recorder.write(step=4, epoch=0.5, metrics=samples.metrics(4))
        samples.record(recorder, 4)


@pytest.mark.parametrize("opened", [Run.open, h5py.File])
def test_a_file_that_this_process_reads_is_named_as_such(tmp_path: Path, opened: Any) -> None:
    path = recorded(tmp_path / "run.h5", range(2))
    with opened(path), pytest.raises(RecordingError, match="this process has it open already, for reading"):
        samples.recorder(path).resume()
    samples.recorder(path).resume().close()


def test_what_is_no_recording_of_this_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    with pytest.raises(RecordingError, match="cannot be opened to be taken up again"):
        samples.recorder(path).resume()
    path.write_text("precious")
    with pytest.raises(RecordingError, match="cannot be opened to be taken up again"):
        samples.recorder(path).resume()
    assert path.read_text() == "precious"
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=np.arange(3))
    with pytest.raises(RecordingError, match="no recording of Counterstream"):
        samples.recorder(path).resume()
    with h5py.File(path, "r+") as file:
        file.attrs["magic"], file.attrs["format_version"] = "counterstream", 1
    with pytest.raises(RecordingError, match=r"format_version must be 2 to be appended to \(got 1\)"):
        samples.recorder(path).resume()
