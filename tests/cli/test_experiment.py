"""Options of the command line in place of what an experiment's file says."""

from pathlib import Path

import pytest

from counterstream.circuits.errors import CircuitError, CounterstreamError
from counterstream.cli.experiment import changed, modes_in_use, source_at
from counterstream.engine.data.arrays import Arrays
from counterstream.engine.training import reads

TEXT = """
format: 1
name: small
circuit: lenet
learning: [backprop, weight_mirror]
data: {npz: data.npz}
epochs: 1
modes: {mirror: {every: 2}}
"""


def test_a_plan_for_a_mode_of_another_system_is_left_out() -> None:
    experiment = reads(TEXT)
    assert modes_in_use(experiment, ("backprop", "kolen_pollack")) == {}
    assert modes_in_use(experiment, ("weight_mirror", "kolen_pollack")) == experiment.modes


def test_a_plan_for_a_mode_that_nobody_has_stays_and_is_refused_later() -> None:
    experiment = reads(TEXT.replace("mirror: {", "miror: {"))
    assert modes_in_use(experiment, ("backprop",)) == experiment.modes


def test_an_unknown_system_is_named() -> None:
    with pytest.raises(CircuitError, match="kolen_pollack"):
        modes_in_use(reads(TEXT), ("kolen_polack",))


@pytest.mark.parametrize("key", ["checkpoint: none", "threads: null", "record: {weights: none, angles: none}"])
def test_what_an_experiment_does_without_it_still_does(key: str) -> None:
    experiment = reads(f"{TEXT}{key}\n")
    assert changed(experiment, epochs=2) == experiment.model_copy(update={"epochs": 2})


def test_data_are_taken_from_where_the_command_line_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    experiment = reads(TEXT)
    moved = changed(experiment, data=source_at(experiment, Path("other.npz")))
    assert isinstance(moved.data, Arrays)
    assert moved.data.file == str(tmp_path / "other.npz")
    images = reads(TEXT.replace("{npz: data.npz}", "{imagenet: {folder: a, size: 64}}"))
    found = source_at(images, Path("b"))
    assert found.model_dump() == images.data.model_dump() | {"folder": str(tmp_path / "b")}
    Path("c.pack").touch()
    packed = changed(images, data=source_at(images, Path("c.pack"))).data
    assert packed.model_dump() == images.data.model_dump() | {"folder": None, "packed": str(tmp_path / "c.pack")}


def test_data_that_lie_nowhere_cannot_be_moved() -> None:
    experiment = reads(TEXT.replace("{npz: data.npz}", "digits"))
    with pytest.raises(
        CounterstreamError, match=r"--data: small must be trained on data that lie somewhere \(got digits"
    ):
        source_at(experiment, Path("b"))
