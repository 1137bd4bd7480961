"""Fractals: classes that are functions of a seed, images that differ within them, a folder that can be gone on with."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from counterstream.engine.data import DataError
from counterstream.engine.data.fractals import MANIFEST, Plan, draw, stream, system_of_class, write
from counterstream.engine.data.fractals import folder as module
from counterstream.engine.data.fractals.systems import FILLING, filling

SMALL = Plan(classes=3, train=4, val=2, size=16, seed=5)


def contents(folder: Path) -> dict[str, str]:
    """Every file below `folder`, with the hash of what it holds."""
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*")
        if file.is_file()
    }


@given(seed=st.integers(0, 2**63 - 1), label=st.integers(0, 99_999))
def test_every_map_contracts_and_the_attractor_fills_its_frame(seed: int, label: int) -> None:
    system = system_of_class(seed, label)
    assert np.linalg.norm(system.matrices, ord=2, axis=(1, 2)).max() < 1
    assert system.probabilities.sum() == pytest.approx(1)
    share = filling(system, stream(seed))
    assert 0.7 * FILLING[0] < share < 1.3 * FILLING[1]  # other points than those it was chosen by


def test_points_lie_on_the_attractor() -> None:
    """The attractor is the union of its images under the maps: a point mapped by any of them lies near another one."""
    system = system_of_class(0, 0)
    points, colours = system.points(40_000, stream(1))
    moved = points[:200] @ system.matrices[0].T + system.offsets[0]
    distances = np.linalg.norm(moved[:, None] - points[None], axis=-1).min(axis=1)
    assert np.quantile(distances, 0.95) < 0.02 * np.ptp(points)
    assert (colours.min() >= 0, colours.max() <= 1) == (True, True)


def test_classes_differ_and_images_of_a_class_do() -> None:
    first, second = system_of_class(0, 0), system_of_class(0, 1)
    assert first.matrices.shape != second.matrices.shape or not np.allclose(first.matrices, second.matrices)
    images = [draw(first, 24, 32, stream(9, index)) for index in range(3)]
    assert all(image.shape == (24, 32, 3) and image.dtype == np.uint8 for image in images)
    assert not np.array_equal(images[0], images[1])
    assert np.array_equal(images[2], draw(system_of_class(0, 0), 24, 32, stream(9, 2)))


def test_the_folder_has_the_layout_of_imagenet(tmp_path: Path) -> None:
    heard: list[int] = []
    assert write(tmp_path / "f", SMALL, progress=heard.append) == sum(heard) == SMALL.images == 18
    files = sorted(file.relative_to(tmp_path / "f").as_posix() for file in (tmp_path / "f").rglob("*.JPEG"))
    assert files[:3] == ["train/f0000/f0000_0.JPEG", "train/f0000/f0000_1.JPEG", "train/f0000/f0000_2.JPEG"]
    assert [file.split("/")[:2] for file in files[-2:]] == [["val", "f0002"]] * 2
    sizes = set()
    for file in (tmp_path / "f").rglob("*.JPEG"):
        with Image.open(file) as image:
            assert image.format == "JPEG"
            sizes.add(image.size)
    assert len(sizes) > 6


def test_an_interrupted_folder_is_gone_on_with(tmp_path: Path) -> None:
    write(tmp_path / "whole", SMALL)
    write(tmp_path / "part", SMALL)
    lost = tmp_path / "part" / "train" / "f0001" / "f0001_2.JPEG"
    lost.unlink()
    lost.with_suffix(".part").write_bytes(b"what a killed run left")
    assert write(tmp_path / "part", SMALL) == 1
    assert contents(tmp_path / "part") == contents(tmp_path / "whole")


def test_any_number_of_processes_draws_the_same(tmp_path: Path) -> None:
    write(tmp_path / "one", SMALL)
    write(tmp_path / "three", SMALL, workers=3)
    assert contents(tmp_path / "one") == contents(tmp_path / "three")


def test_another_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("three years of work")
    with pytest.raises(DataError, match="must be empty, or hold fractals that were begun"):
        write(tmp_path, SMALL)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_folder_of_another_plan_is_refused(tmp_path: Path) -> None:
    write(tmp_path, Plan(classes=1, train=1, val=1, size=16, seed=5))
    with pytest.raises(DataError, match=r"another plan \(classes 1, train 1, val 1\)"):
        write(tmp_path, SMALL)


@pytest.mark.parametrize("text", ["", "[]", "{", "3"])
def test_a_broken_manifest_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(DataError, match=str(tmp_path)):
        write(tmp_path, SMALL)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="must be a folder that can be written to"):
        write(tmp_path / "file" / "below", SMALL)


def test_a_full_disk_is_named_and_what_was_drawn_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def save(path: Path, *rest: Any) -> None:
        if path.name == "f0001_1.JPEG":
            raise OSError(28, "No space left on device")
        saved(path, *rest)

    saved = module._save
    with monkeypatch.context() as patch:
        patch.setattr(module, "_save", save)
        with pytest.raises(DataError, match=r"must be written \(No space left on device\)\. Those that were are kept"):
            write(tmp_path, SMALL)
    assert write(tmp_path, SMALL) == SMALL.images - 7  # six of the first class, one of the second


def test_the_manifest_says_what_is_in_the_folder(tmp_path: Path) -> None:
    write(tmp_path, SMALL)
    assert json.loads((tmp_path / MANIFEST).read_text()) == {
        "format": 1,
        "classes": 3,
        "train": 4,
        "val": 2,
        "size": 16,
        "seed": 5,
    }
