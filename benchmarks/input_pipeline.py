"""Images a second that one core reads: from a folder, packed as JPEGs, packed as pixels, and by torchvision.

    OMP_NUM_THREADS=1 python benchmarks/input_pipeline.py [--images 240] [--rounds 12] [--px 375] [--workers N]

Fractals whose shorter side is about `px` pixels (ImageNet's photographs are mostly 500 x 375) are drawn, and packed
with the shorter side at 256. In each round every contender reads all of them once, in turns that rotate, and varies
them for training at 224 px or cuts their middle for evaluation. What is counted is this process's processor time, which
other work on the machine changes less than the clock: images per second of processor time, that is, of one core.
Contenders:

    folder    `data: {imagenet: DIR}`, up to bytes in a batch (finishing is the device's)
    jpeg      `data: {imagenet: {packed: FILE}}`             raw    the same of `data pack --raw`
    numpy     pixels of 256 x 256 in one .npy, mapped, and cropped by PIL: the least that can be done in Python
    vision    torchvision's ImageFolder with RandomResizedCrop, flip, ToTensor, Normalize, collated

With `--workers N`, batches also come through N worker processes, by the clock (`finished`: normalized on the CPU).
"""

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles

import numpy as np
import PIL
import torch
import torchvision
from PIL import Image

from counterstream.engine.data import Draw
from counterstream.engine.data.fractals import Plan, write
from counterstream.engine.data.images.imagenet import ImageNet
from counterstream.engine.data.images.index import CACHE
from counterstream.engine.data.images.packing import Packing, pack
from counterstream.engine.data.images.split import Images
from counterstream.engine.data.images.variation import Varying

CLASSES, SIZE, SHORTER, BATCH = 4, 224, 256, 32
Reading = Callable[[int], None]
"""Reads all images once, as in the epoch of that number."""


def images_of(**settings: object) -> Images:
    train = ImageNet(size=SIZE, **settings).load().train  # type: ignore[arg-type]
    assert isinstance(train, Images)
    return train


def batches(samples: int) -> list[np.ndarray]:
    return [np.arange(first, min(first + BATCH, samples)) for first in range(0, samples, BATCH)]


def varied(split: Images) -> Reading:
    reader = split._reader

    def read(epoch: int) -> None:
        for indices in batches(len(split)):
            assert not reader.trained(0, Draw(epoch, indices)).failed

    return read


def evaluated(split: Images) -> Reading:
    reader = split._reader

    def read(_: int) -> None:
        for indices in batches(len(split)):
            assert not reader.evaluated(indices).failed

    return read


def mapped(split: Images, file: Path) -> Reading:
    """Squares of pixels in a .npy, mapped."""
    squares = np.lib.format.open_memmap(file, "w+", np.uint8, (len(split), SHORTER, SHORTER, 3))
    for place in range(len(split)):
        squares[place] = np.asarray(split.source.open(place).pixels().resize((SHORTER, SHORTER)))
    squares = np.load(file, mmap_mode="r")
    varying = Varying()

    def read(epoch: int) -> None:
        for indices in batches(len(split)):
            into = np.empty((len(indices), SIZE, SIZE, 3), np.uint8)
            for place, sample in enumerate(indices):
                left, upper, right, lower = varying.box(varying.of(0, epoch, int(sample), 1).cut, (SHORTER, SHORTER))
                part = Image.fromarray(squares[sample, upper:lower, left:right])
                into[place] = part.resize((SIZE, SIZE), Image.Resampling.BILINEAR)

    return read


def vision(folder: Path) -> Reading:
    from torchvision import datasets, transforms

    steps = [transforms.RandomResizedCrop(SIZE), transforms.RandomHorizontalFlip(), transforms.ToTensor()]
    normal = transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    images = datasets.ImageFolder(folder / "train", transforms.Compose([*steps, normal]))

    def read(_: int) -> None:
        for indices in batches(len(images)):
            torch.stack([images[int(index)][0] for index in indices])

    return read


def through_workers(split: Images) -> Reading:
    def read(epoch: int) -> None:
        draws = [Draw(epoch, indices) for indices in batches(len(split)) * 4]
        with split.stream(draws, seed=0, device="cpu") as found:
            next(found)  # the workers have begun
            started = time.perf_counter()
            count = sum(len(batch) for batch in found)
        through_workers.rates.append(count / (time.perf_counter() - started))  # type: ignore[attr-defined]

    return read


def summarised(rates: list[float]) -> dict[str, float]:
    low, _, high = quantiles(rates, n=4)
    return {"median": round(median(rates)), "low": round(low), "high": round(high), "n": len(rates)}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--images", type=int, default=240)
    arguments.add_argument("--rounds", type=int, default=12)
    arguments.add_argument("--px", type=int, default=375)
    arguments.add_argument("--workers", type=int, default=0)
    asked = arguments.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        os.environ[CACHE] = f"{scratch}/cache"
        folder, jpeg, raw = (Path(scratch) / name for name in ("images", "jpeg.pack", "raw.pack"))
        write(folder, Plan(classes=CLASSES, train=asked.images // CLASSES, val=1, size=asked.px))
        pack(folder, jpeg, Packing())
        pack(folder, raw, Packing(raw=True))
        places = {"folder": {"folder": str(folder)}, "jpeg": {"packed": str(jpeg)}, "raw": {"packed": str(raw)}}
        splits = {name: images_of(**place, workers=asked.workers) for name, place in places.items()}
        contenders = {f"{name}, training": varied(split) for name, split in splits.items()}
        contenders |= {f"{name}, evaluation": evaluated(split) for name, split in splits.items()}
        contenders["numpy, training"] = mapped(splits["folder"], Path(scratch) / "squares.npy")
        contenders["vision, training"] = vision(folder)
        sizes = [path.stat().st_size for path in (folder / "train").glob("*/*")]
        rates: dict[str, list[float]] = {name: [] for name in contenders}
        names = list(contenders)
        for round_ in range(asked.rounds + 1):
            for name in names[round_ % len(names) :] + names[: round_ % len(names)]:
                started = time.process_time()
                contenders[name](round_)
                if round_:  # the first warms up
                    rates[name].append(len(splits["folder"]) / (time.process_time() - started))
        result: dict[str, object] = {
            "images": len(splits["folder"]),
            "jpeg_kb": round(np.mean(sizes) / 1e3, 1),
            "packed_kb": {
                name: round(path.stat().st_size / (asked.images + CLASSES) / 1e3, 1)
                for name, path in (("jpeg", jpeg), ("raw", raw))
            },
            "machine": f"{os.cpu_count()} cores, {platform.machine()}",
            "versions": {
                "python": platform.python_version(),
                "pillow": PIL.__version__,
                "torch": torch.__version__,
                "torchvision": torchvision.__version__,
            },
            "images_per_second_of_a_core": {name: summarised(found) for name, found in rates.items()},
        }
        if asked.workers:
            finished: dict[str, list[float]] = {name: [] for name in splits}
            for round_ in range(asked.rounds):
                for name, split in splits.items():
                    through_workers.rates = []  # type: ignore[attr-defined]
                    through_workers(split)(round_)
                    finished[name] += through_workers.rates  # type: ignore[attr-defined]
            result[f"finished_per_second_of_{asked.workers}_workers"] = {n: summarised(f) for n, f in finished.items()}
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
