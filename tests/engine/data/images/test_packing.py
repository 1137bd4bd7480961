"""Packed files: the same images from any number of processes and after any interruption, whole or not at all."""

import io
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from counterstream.engine.data import DataError, Dataset, Draw
from counterstream.engine.data.images import packing as module
from counterstream.engine.data.images.decoding import BadImage, Encoded
from counterstream.engine.data.images.imagenet import ImageNet
from counterstream.engine.data.images.packed import PackedFile
from counterstream.engine.data.images.packing import Packing, pack

SMALL = Packing(side=16)


def opened(**settings: object) -> Dataset:
    return ImageNet(size=12, evaluation_size=14, workers=0, **settings).load()  # type: ignore[arg-type]


def first_batch(data: Dataset) -> torch.Tensor:
    with data.train.stream([Draw(1, np.arange(len(data.train)))], seed=5, device="cpu") as batches:
        return next(batches).images


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK", 4)


@pytest.fixture(scope="module")
def packed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("packed") / "images.pack"
    report = pack(folder, output, SMALL)
    assert (report.images, report.bytes, report.left_out) == (27, output.stat().st_size, {})
    return output


@settings(max_examples=60)
@given(width=st.integers(1, 90), height=st.integers(1, 90), side=st.integers(1, 60))
def test_the_shorter_side_shrinks_and_never_grows(width: int, height: int, side: int) -> None:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (40, 90, 20)).save(file, "JPEG")
    data, size = Packing(side=side).packed(file.getvalue())
    assert Encoded(data).size == size
    if min(width, height) <= side:
        assert data == file.getvalue()
    else:
        assert min(size) == side
        assert max(size) == pytest.approx(max(width, height) * side / min(width, height), abs=0.5)


def test_what_is_no_plain_jpeg_becomes_one() -> None:
    for image, form in ((Image.new("CMYK", (9, 9)), "JPEG"), (Image.new("RGBA", (9, 9)), "PNG")):
        file = io.BytesIO()
        image.save(file, form)
        data, _ = SMALL.packed(file.getvalue())
        assert Encoded(data).kind == "JPEG RGB"
    with pytest.raises(BadImage, match="the file is empty"):
        SMALL.packed(b"")


def test_a_packed_file_gives_the_folders_images(folder: Path, packed: Path) -> None:
    """Nearly: they were shrunk and encoded anew. Classes, order and randomness are the folder's."""
    one, other = opened(folder=str(folder)), opened(packed=str(packed))
    assert other.classes == 3
    for split in ("train", "test"):
        assert np.array_equal(one.splits[split].labels, other.splits[split].labels)
        everything = np.arange(len(one.splits[split]))
        difference = one.splits[split].take(everything).images - other.splits[split].take(everything).images
        assert difference.square().mean().sqrt() < 0.25  # in standard deviations of a pixel
    assert (first_batch(one) - first_batch(other)).square().mean().sqrt() < 0.4


def test_raw_pixels_are_those_that_a_png_would_keep(folder: Path, tmp_path: Path) -> None:
    """Unshrunk, a raw file gives the folder's own pixels to the last bit."""
    pack(folder, tmp_path / "raw.pack", Packing(side=1000, raw=True))
    one, other = opened(folder=str(folder)), opened(packed=str(tmp_path / "raw.pack"))
    assert torch.equal(one.test.take(np.arange(9)).images, other.test.take(np.arange(9)).images)


def test_any_number_of_processes_writes_the_same(folder: Path, packed: Path, tmp_path: Path) -> None:
    pack(folder, tmp_path / "again.pack", SMALL, workers=2)
    assert (tmp_path / "again.pack").read_bytes() == packed.read_bytes()


def test_an_interrupted_file_is_gone_on_with(
    folder: Path, packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "begun.pack"

    def stop(done: int) -> None:
        if done:
            raise KeyboardInterrupt

    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            pack(folder, output, SMALL, progress=lambda done, seen=[]: stop(seen.append(done) or len(seen) > 1))  # type: ignore[misc]
        assert not output.exists()
    before = (tmp_path / "begun.pack.part").read_bytes()
    (tmp_path / "begun.pack.part").write_bytes(before[:-100])  # what a lost machine did not get to the disk
    heard: list[int] = []
    pack(folder, output, SMALL, progress=heard.append)
    assert 0 < heard[0] < 27
    assert sum(heard) == 27
    assert output.read_bytes() == packed.read_bytes()
    assert [file.name for file in tmp_path.iterdir()] == ["begun.pack"]
    with pytest.raises(DataError, match=r"begun.pack: must be a new file \(it is there\)"):
        pack(folder, output, SMALL)


def test_another_plan_does_not_go_on(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "x.pack.part.rows").write_bytes(b"{}\n")
    with pytest.raises(DataError, match=r"x.pack.part: was begun with other settings, or another folder"):
        pack(folder, tmp_path / "x.pack", SMALL)


@pytest.mark.parametrize("rows", [None, 0, 10])
def test_rows_without_their_images_begin_anew(folder: Path, packed: Path, tmp_path: Path, rows: int | None) -> None:
    """Of the rows all are there, or only so many bytes: a full disk leaves none."""
    output = tmp_path / "x.pack"

    def stop(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pack(folder, output, SMALL, progress=stop)
    (tmp_path / "x.pack.part").unlink()
    known = tmp_path / "x.pack.part.rows"
    known.write_bytes(known.read_bytes()[:rows])
    pack(folder, output, SMALL)
    assert output.read_bytes() == packed.read_bytes()


def test_a_full_disk_is_named_and_nothing_is_lost(
    folder: Path, packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = module.stacked.append

    def full(*content: Any, before: tuple[str, ...] = ()) -> None:
        if before:  # an index, which is written likewise, has nothing before it
            raise OSError(28, "No space left on device")
        append(*content)

    with monkeypatch.context() as patch:
        patch.setattr(module.stacked, "append", full)
        with pytest.raises(DataError, match=r"must be written \(No space left on device\)\. What was written is kept"):
            pack(folder, tmp_path / "x.pack", SMALL)
    pack(folder, tmp_path / "x.pack", SMALL)
    assert (tmp_path / "x.pack").read_bytes() == packed.read_bytes()


def test_bad_files_end_it_or_are_left_out(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "spoilt"
    shutil.copytree(folder, copy)
    bad = copy / "train" / "f0001" / "f0001_2.JPEG"
    bad.write_bytes(bad.read_bytes()[:100])
    with pytest.raises(DataError, match=r"f0001_2.JPEG: must be an image that can be decoded \(.*--corrupt skip"):
        pack(copy, tmp_path / "x.pack", SMALL)
    report = pack(copy, tmp_path / "x.pack", SMALL, policy="skip")
    assert report.images == 26
    assert list(report.left_out) == ["train/f0001/f0001_2.JPEG"]
    train = PackedFile.open(tmp_path / "x.pack").split("train")
    assert np.bincount(train.labels).tolist() == [6, 5, 6]
    names = [train.short_name(position) for position in range(17)]
    assert names == sorted(names)
    assert "f0001/f0001_2.JPEG" not in names


def test_a_flipped_bit_is_noticed(packed: Path, tmp_path: Path) -> None:
    content = bytearray(packed.read_bytes())
    file = PackedFile.open(packed)
    content[module.HEADER + int(file.stack.arrays["offsets"][4]) + 300] ^= 4
    (tmp_path / "rotten.pack").write_bytes(content)
    data = opened(packed=str(tmp_path / "rotten.pack"))
    with pytest.raises(DataError) as error:
        data.train.take(np.arange(18))
    assert "rotten.pack: train/f0000/f0000_4.JPEG: must be an image that can be decoded (its bytes are not" in str(
        error.value
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "the packed file must be readable (No such file or directory)"),
        (b"nonsense", "must be a file that `counterstream data pack` finished (it is no file of arrays)"),
    ],
)
def test_what_is_no_packed_file(tmp_path: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / "x.pack").write_bytes(content)
    with pytest.raises(DataError) as error:
        opened(packed=str(tmp_path / "x.pack"))
    assert str(error.value) == f"{tmp_path / 'x.pack'}: {message}"


def test_a_part_of_a_packed_file_is_refused(packed: Path, tmp_path: Path) -> None:
    content = packed.read_bytes()
    for end in range(0, len(content), len(content) // 40):
        (tmp_path / "x.pack").write_bytes(content[:end])
        with pytest.raises(DataError, match="must be a file that `counterstream data pack` finished"):
            PackedFile.open(tmp_path / "x.pack")
