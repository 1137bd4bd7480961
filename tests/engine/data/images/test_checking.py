"""A check of a folder finds what is bad, and the list it writes makes a folder that can be trained on."""

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from counterstream.engine.data import DataError
from counterstream.engine.data.images.checking import check, write_list
from counterstream.engine.data.images.imagenet import ImageNet
from counterstream.engine.data.images.layout import Layout
from counterstream.engine.data.images.packing import Packing, pack


@pytest.fixture
def spoilt(folder: Path, tmp_path: Path) -> Path:
    """The folder with one of everything that goes wrong."""
    copy = tmp_path / "spoilt"
    shutil.copytree(folder, copy)
    first = copy / "train" / "f0000"
    (first / "f0000_1.JPEG").write_bytes(b"")
    (copy / "val" / "f0002" / "f0002_0.JPEG").write_bytes((first / "f0000_0.JPEG").read_bytes()[:-50])
    png = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (20, 20, 3), dtype=np.uint8)).save(png, "PNG")
    (first / "f0000_2.JPEG").write_bytes(png.getvalue())
    rotten = bytearray(png.getvalue())
    rotten[-14] ^= 1  # in the checksum of the pixels, before the last 12 bytes
    (first / "f0000_3.JPEG").write_bytes(rotten)
    (first / "notes.txt").write_text("")
    return copy


BAD = ["train/f0000/f0000_1.JPEG", "train/f0000/f0000_3.JPEG", "val/f0002/f0002_0.JPEG"]


def test_everything_is_found(spoilt: Path) -> None:
    heard: list[int] = []
    found = check(spoilt, progress=heard.append)
    assert (found.images, found.classes, sum(heard)) == (27, 3, 27)
    assert list(found.bad) == BAD
    assert found.bad[BAD[0]] == "the file is empty"
    assert "broken PNG" in found.bad[BAD[1]]  # its checksum: decoding does not look at it
    assert "truncated" in found.bad[BAD[2]]
    assert found.kinds["PNG RGB"] == 1
    assert sum(found.kinds.values()) == 24
    assert found.others == ["train/f0000/notes.txt"]


def test_its_list_leaves_the_bad_files_out(spoilt: Path, tmp_path: Path) -> None:
    write_list(tmp_path / "bad.txt", check(spoilt))
    data = ImageNet(folder=str(spoilt), exclude=str(tmp_path / "bad.txt"), size=8, workers=0).load()
    assert (len(data.train), len(data.test)) == (16, 8)
    assert len(data.train.take(np.arange(16))) == 16
    layout = Layout(spoilt, tmp_path / "bad.txt")
    names = [layout.train().name(position) for position in range(16)]
    assert not {f"train/{name}" for name in names} & set(BAD)
    assert len(Layout(spoilt).train()) == 18  # a list of its own has an index of its own


def test_a_class_must_not_be_left_empty(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_text("".join(f"train/f0001/f0001_{i}.JPEG\n" for i in range(6)))
    with pytest.raises(DataError, match="f0001: a class must have an image to train on"):
        Layout(folder, tmp_path / "bad.txt").train()
    with pytest.raises(DataError, match=r"missing.txt: the list of files to exclude must be readable \(No such file"):
        Layout(folder, tmp_path / "missing.txt")


def test_a_packed_file_is_checked_too(folder: Path, tmp_path: Path) -> None:
    pack(folder, tmp_path / "x.pack", Packing(side=16, raw=True))
    assert check(tmp_path / "x.pack").kinds == {"raw RGB": 27}
    content = bytearray((tmp_path / "x.pack").read_bytes())
    content[5000] ^= 1
    (tmp_path / "x.pack").write_bytes(content)
    found = check(tmp_path / "x.pack")
    assert list(found.bad.values()) == ["its bytes are not those that were packed"]
    with pytest.raises(DataError) as error:
        check(tmp_path / "x.pack", truth=tmp_path / "classes.txt")
    said = f"a file of classes goes with a folder (got {tmp_path / 'x.pack'}, which was packed with it)"
    assert str(error.value) == f"{tmp_path / 'classes.txt'}: {said}"
