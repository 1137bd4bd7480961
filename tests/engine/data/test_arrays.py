"""The user's own arrays, and everything that can be wrong with them."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from counterstream.engine.data import DataError, check_fit, npz


def arrays(**changes: Any) -> dict[str, Any]:
    """Sound arrays, some of them replaced; None leaves one out."""
    random = np.random.default_rng(0)
    sound = {
        "x_train": random.normal(size=(12, 3)),
        "y_train": np.arange(12) % 4,
        "x_test": random.normal(size=(4, 3)),
        "y_test": np.arange(4),
    }
    return {name: array for name, array in (sound | changes).items() if array is not None}


def saved(folder: Path, **changes: Any) -> Path:
    path = folder / "data.npz"
    np.savez(path, **arrays(**changes))
    return path


def test_reads_what_was_saved(tmp_path: Path) -> None:
    data = npz(saved(tmp_path, x_validation=np.ones((2, 3), np.uint8), y_validation=np.array([0.0, 3.0])))
    assert (data.name, data.classes, data.shape) == ("data.npz", 4, (3,))
    assert data.train.images == pytest.approx(arrays()["x_train"])
    assert data.validation is not None
    assert data.validation.images.dtype == np.float32
    assert data.validation.labels.tolist() == [0, 3]
    assert list(data.splits) == ["train", "validation", "test"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x_train": None}, "array 'x_train' must be in the file. Did you mean 'y_train'?"),
        ({"x_validation": np.ones((2, 3))}, "array 'y_validation' must be in the file"),
        (
            {"x_train": np.ones(12)},
            r"x_train: the shape must be [samples, ...] with at least 2 axes (got [12])",
        ),
        ({"x_train": np.full((12, 3), np.nan)}, "x_train: values must be finite in float32 (got 36 NaN"),
        ({"x_train": np.full((12, 3), 1e300)}, "x_train: values must be finite in float32 (got 36"),
        ({"x_train": np.full((12, 3), "a")}, "x_train: values must be real numbers (got <U1)"),
        (
            {"x_train": np.ones((11, 3))},
            "there must be a label for each sample of x_train (got 12 labels, 11 samples)",
        ),
        (
            {"x_test": np.ones((4, 2))},
            "x_test: a sample must have the shape [3] of those in x_train (got [2])",
        ),
        ({"y_train": np.eye(12)}, "y_train: the shape must be [samples] (got [12, 12]). Give class labels"),
        ({"y_train": np.full(12, 0.5)}, "y_train: labels must be whole numbers (got float64)"),
        ({"y_train": np.full(12, np.inf)}, "y_train: labels must be whole numbers"),
        ({"y_train": np.full(12, -1)}, "y_train: labels must be 0 or more (got -1)"),
        ({"y_test": np.full(4, 9)}, "y_test: labels must occur in y_train, 0 to 3 (got 9)"),
        ({"x_test": np.ones((0, 3)), "y_test": np.ones(0)}, "y_test: there must be at least one sample"),
        ({"y_train": np.full(12, 2**62)}, "y_train: labels must be less than 2147483648 (got 4611686018427387904)"),
        ({"y_train": np.full(12, 1e300)}, "y_train: labels must be less than 2147483648 (got 1e+300)"),
        ({"x_train": np.array([{}] * 12)}, "it holds Python objects, which are never unpickled"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    path = saved(tmp_path, **changes)
    with pytest.raises(DataError) as caught:
        npz(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_every_problem_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        npz(saved(tmp_path, x_test=None, y_train=np.full(12, -1)))
    assert len(str(caught.value).splitlines()) == 2


def test_a_device_or_a_pipe_may_never_end(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.npz")
    for path in (tmp_path / "pipe.npz", Path("/dev/zero")):
        with pytest.raises(DataError, match="the data file must be a regular one"):
            npz(path)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="must be readable"):
        npz(tmp_path / "none.npz")


@pytest.mark.parametrize("content", [b"no archive", b"", b"PK\x03\x04broken"])
def test_not_an_archive(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "data.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"must be a \.npz archive of plain arrays \(it is not such an archive\)"):
        npz(path)


def test_a_single_array_is_no_archive(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    with path.open("wb") as file:
        np.save(file, np.ones(3))
    with pytest.raises(DataError, match="got a single array"):
        npz(path)


def test_the_circuit_must_fit(tmp_path: Path) -> None:
    data = npz(saved(tmp_path))
    check_fit(data, "image", (3,), "digit", 4)
    check_fit(data, "image", (3,), "digit", 10)
    with pytest.raises(DataError, match=r"shape \[1, 8, 8\] of the input population 'image' \(got \[3\]\)"):
        check_fit(data, "image", (1, 8, 8), "digit", 4)
    with pytest.raises(DataError, match=r"'digit' must have a neuron for each class \(got 3 neurons, 4 classes\)"):
        check_fit(data, "image", (3,), "digit", 3)
