"""Splits of images: the same pixels for any number of workers and ranks and from any start; bad files by policy."""

import multiprocessing
import os
import shutil
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from counterstream.engine.data import Batch, DataError, Dataset, Draw, order
from counterstream.engine.data.images.imagenet import ImageNet

SIDE = 12
SETTINGS = {"size": SIDE, "workers": 0}


def dataset(folder: Path, **settings: object) -> Dataset:
    return ImageNet(folder=str(folder), **{**SETTINGS, **settings}).load()  # type: ignore[arg-type]


def streamed(data: Dataset, draws: Sequence[Draw], seed: int = 0) -> list[Batch]:
    with data.train.stream(draws, seed=seed, device="cpu") as batches:
        return list(batches)


def draws(samples: int, batch: int, epochs: int = 2) -> list[Draw]:
    return [
        Draw(epoch, order(samples, 0, epoch)[first : first + batch])
        for epoch in range(epochs)
        for first in range(0, samples - batch + 1, batch)
    ]


def same(first: Batch, second: Batch) -> bool:
    return (
        torch.equal(first.images, second.images)
        and np.array_equal(first.labels, second.labels)
        and np.array_equal(np.asarray(first.target), np.asarray(second.target))
    )


MIXED = {"mixup": 0.3, "label_smoothing": 0.1}


@pytest.mark.parametrize("settings", [{}, MIXED], ids=["plain", "mixed"])
def test_any_number_of_workers_gives_the_same_batches(folder: Path, settings: dict[str, float]) -> None:
    asked = draws(18, 5)
    alone = streamed(dataset(folder, **settings), asked)
    several = streamed(dataset(folder, workers=3, **settings), asked)
    assert len(alone) == len(asked)
    assert all(same(*pair) for pair in zip(alone, several, strict=True))


@settings(max_examples=20)
@given(data=st.data(), seed=st.integers(0, 2**31 - 1), batch=st.integers(1, 9), mixed=st.booleans())
def test_ranks_and_starts_do_not_matter(
    folder_once: Path, data: st.DataObject, seed: int, batch: int, mixed: bool
) -> None:
    """A batch shared by ranks in any way, taken from any step on, has the pixels and targets of the whole run's."""
    images = dataset(folder_once, **(MIXED if mixed else {}))
    asked = draws(len(images.train), batch)
    whole = streamed(images, asked, seed)
    start = data.draw(st.integers(0, len(asked) - 1), label="start")
    cut = data.draw(st.integers(0, batch), label="the first rank's samples")
    shares = [
        [Draw(d.epoch, d.indices[:cut]) for d in asked[start:]],
        [Draw(d.epoch, d.indices[cut:]) for d in asked[start:]],
    ]
    first, second = (streamed(images, share, seed) if len(share[0].indices) else None for share in shares)
    for step, expected in enumerate(whole[start:]):
        parts = [ranks[step] for ranks in (first, second) if ranks is not None]
        assert torch.equal(torch.cat([part.images for part in parts]), expected.images)
        assert np.array_equal(np.concatenate([part.labels for part in parts]), expected.labels)
        assert np.array_equal(np.concatenate([np.asarray(part.target) for part in parts]), np.asarray(expected.target))


@pytest.fixture(scope="session")
def folder_once(folder: Path) -> Path:
    """The same, for tests that hypothesis runs many times."""
    return folder


def test_a_share_may_be_empty_and_torchs_own_random_numbers_stay(folder: Path) -> None:
    state = torch.random.get_rng_state()
    for chosen in ({}, MIXED, {"workers": 1}):
        (batch,) = streamed(dataset(folder, **chosen), [Draw(0, np.arange(0))])
        assert (len(batch), tuple(batch.images.shape)) == (0, (0, 3, SIDE, SIDE))
    assert torch.equal(torch.random.get_rng_state(), state)


def test_epochs_seeds_and_samples_differ(folder: Path) -> None:
    data = dataset(folder)
    samples = np.arange(4)
    first, epoch, again = streamed(data, [Draw(0, samples), Draw(1, samples), Draw(0, samples)])
    (seed,) = streamed(data, [Draw(0, samples)], seed=1)
    assert same(first, again)
    assert not torch.equal(first.images, epoch.images)
    assert not torch.equal(first.images, seed.images)


def test_images_are_normalized_and_channels_last(folder: Path) -> None:
    data = dataset(folder, mean=[0.5, 0.4, 0.3], deviation=[0.1, 0.2, 0.4])
    batch = data.test.take(np.arange(3))
    assert batch.images.shape == (3, 3, SIDE, SIDE)
    assert batch.images.dtype == torch.float32
    assert batch.images.is_contiguous(memory_format=torch.channels_last)
    first = sorted((folder / "val").glob("*/*"))[0]
    image = Image.open(first).convert("RGB")
    short = round(SIDE * 8 / 7)
    scale = short / min(image.size)
    image = image.resize(tuple(short if s == min(image.size) else int(s * scale) for s in image.size), 2)
    left, upper = (round((side - SIDE) / 2) for side in image.size)
    pixels = np.asarray(image.crop((left, upper, left + SIDE, upper + SIDE))) / 255
    expected = ((pixels - [0.5, 0.4, 0.3]) / [0.1, 0.2, 0.4]).transpose(2, 0, 1)
    assert np.abs(batch.images[0].numpy() - expected).max() < 1e-5


def test_flips_mirror(folder: Path) -> None:
    whole = {"scale": [1, 1], "ratio": [1e-3, 1e3]}
    never, always = (dataset(folder, flip=flip, **whole) for flip in (0, 1))
    (plain,), (mirrored,) = (streamed(data, [Draw(0, np.arange(5))]) for data in (never, always))
    assert torch.equal(plain.images.flip(3), mirrored.images)


def test_targets_of_smoothed_labels_and_mixed_images(folder: Path) -> None:
    asked = [Draw(0, np.arange(18))]
    (plain,) = streamed(dataset(folder), asked)
    (smoothed,) = streamed(dataset(folder, label_smoothing=0.3), asked)
    assert plain.target is plain.labels
    assert torch.allclose(smoothed.target, 0.7 * torch.eye(3)[plain.labels] + 0.1)
    data = dataset(folder, mixup=1.0)
    (mixed,) = streamed(data, asked)
    assert np.array_equal(mixed.labels, plain.labels)  # the sample's own class, whatever is mixed in
    variations = [data.train.look.varying.of(0, 0, sample, 18) for sample in range(18)]  # type: ignore[attr-defined]
    shares = torch.tensor([v.share for v in variations], dtype=torch.float32)[:, None]
    partners = data.train.labels[[v.partner for v in variations]]
    assert torch.allclose(mixed.target, shares * torch.eye(3)[plain.labels] + (1 - shares) * torch.eye(3)[partners])
    assert data.train.rates
    assert not dataset(folder).train.rates


def test_evaluation_has_classes_and_nothing_random(folder: Path) -> None:
    data = dataset(folder, workers=2, **MIXED)
    for size in (4, 100):
        with data.test.chunks(np.arange(9), size, device="cpu") as chunks:
            found = list(chunks)
        assert [len(chunk) for chunk in found] == ([4, 4, 1] if size == 4 else [9])
        assert torch.equal(torch.cat([chunk.images for chunk in found]), data.test.take(np.arange(9)).images)
        assert np.concatenate([chunk.target for chunk in found]).tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_validation_is_cut_from_the_training_images(folder: Path) -> None:
    data = dataset(folder, validation=6)
    assert data.validation is not None
    assert (len(data.train), len(data.validation), len(data.test)) == (12, 6, 9)
    assert np.bincount(data.validation.labels).tolist() == [2, 2, 2]
    positions = [*data.train.positions, *data.validation.positions]  # type: ignore[attr-defined]
    assert sorted(positions) == list(range(18))
    with pytest.raises(DataError, match=r"validation must be less than the 18 training images \(got 18\)"):
        dataset(folder, validation=18)


# ---- bad files


@pytest.fixture
def spoilt(folder: Path, tmp_path: Path) -> Path:
    """The folder with a bad file in training, the second of the first class."""
    copy = tmp_path / "spoilt"
    shutil.copytree(folder, copy)
    (copy / "train" / "f0000" / "f0000_1.JPEG").write_bytes(b"")
    return copy


@pytest.mark.parametrize("workers", [0, 2])
def test_a_bad_file_is_an_error_that_names_it(spoilt: Path, workers: int) -> None:
    data = dataset(spoilt, workers=workers)
    with pytest.raises(DataError) as error:
        streamed(data, draws(18, 6))
    path = spoilt / "train" / "f0000" / "f0000_1.JPEG"
    assert str(error.value) == (
        f"{path}: must be an image that can be decoded (the file is empty). "
        f"`counterstream data check {spoilt} -o bad.txt` finds all such files; name its list as `exclude`"
    )


def test_a_skipped_file_changes_nothing_else(folder: Path, spoilt: Path) -> None:
    whole, skipping = dataset(folder), dataset(spoilt, corrupt="skip", workers=2)
    asked = draws(18, 6)
    expected, found = streamed(whole, asked), streamed(skipping, asked)
    replaced = 0
    for draw, one, other in zip(asked, expected, found, strict=True):
        for place, sample in enumerate(draw.indices):
            if sample == 1:
                replaced += 1
                assert other.labels[place] == whole.train.labels[2]
            else:
                assert torch.equal(one.images[place], other.images[place])
                assert one.labels[place] == other.labels[place]
    assert replaced == 2
    name = str(spoilt / "train" / "f0000" / "f0000_1.JPEG")
    assert skipping.train.skipped == {name: "the file is empty"}


def test_a_bad_file_in_evaluation_is_always_an_error(spoilt: Path) -> None:
    bad = spoilt / "val" / "f0001" / "f0001_0.JPEG"
    bad.write_bytes(bad.read_bytes()[:200])
    data = dataset(spoilt, corrupt="skip")
    with (
        pytest.raises(DataError, match=f"{bad}: must be an image that can be decoded"),
        data.test.chunks(np.arange(9), 4, device="cpu") as chunks,
    ):
        list(chunks)


def test_a_probe_is_replaced_as_in_training(folder: Path, spoilt: Path) -> None:
    """What is measured on training images along the way must not end a run that goes on in spite of them."""
    probe = dataset(spoilt, corrupt="skip").train.take(np.array([0, 1]))
    assert torch.equal(probe.images, dataset(folder).train.take(np.array([0, 2])).images)
    with pytest.raises(DataError, match=r"f0000_1\.JPEG: must be an image that can be decoded"):
        dataset(spoilt).train.take(np.array([0, 1]))


def test_too_many_bad_files_are_an_error(spoilt: Path) -> None:
    for file in (spoilt / "train").glob("*/*"):
        file.write_bytes(b"")
    with pytest.raises(
        DataError, match=r"must be an image that can be decoded, nor the 17 after it \(the file is empty"
    ):
        streamed(dataset(spoilt, corrupt="skip"), draws(18, 6))


@pytest.mark.slow
def test_a_killed_worker_is_named(folder: Path) -> None:
    data = dataset(folder, workers=1)
    endless = (Draw(epoch, np.arange(6)) for epoch in range(10_000))
    with data.train.stream(endless, seed=0, device="cpu") as batches:
        next(batches)
        (worker,) = [child for child in multiprocessing.active_children() if "DataLoader" not in str(child.name)]
        os.kill(worker.pid or 0, signal.SIGKILL)
        with pytest.raises(DataError, match=r"a process that reads images must live on .*take fewer `workers`"):
            list(batches)


def test_leaving_ends_the_workers(folder: Path) -> None:
    with dataset(folder, workers=2).train.stream(draws(18, 2), seed=0, device="cpu") as batches:
        next(batches)
        assert len(multiprocessing.active_children()) == 2
    assert not multiprocessing.active_children()


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_worker_that_is_stuck_in_a_read_is_killed(folder: Path, tmp_path: Path) -> None:
    """It ignores SIGTERM, so the loader's own end does not end it. A pipe that nobody writes to is read for ever."""
    copy = tmp_path / "stuck"
    shutil.copytree(folder, copy)
    data = dataset(copy, workers=1)
    dead = Path(data.train.source.name(int(draws(18, 6)[1].indices[0])))  # type: ignore[attr-defined]
    dead.unlink()
    os.mkfifo(dead)
    with data.train.stream(draws(18, 6), seed=0, device="cpu") as batches:
        next(batches)
        (worker,) = multiprocessing.active_children()
        writer = opened_once_somebody_reads(dead)
        leaving = time.monotonic()
    assert time.monotonic() - leaving < 30
    assert not multiprocessing.active_children()
    assert worker.exitcode == -signal.SIGKILL
    os.close(writer)


def opened_once_somebody_reads(pipe: Path) -> int:
    deadline = time.monotonic() + 60
    while True:
        try:
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
