"""A folder of fractals in ImageNet's layout, written by several processes: `train/CLASS/*.JPEG`, `val/CLASS/*.JPEG`."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.random import Generator
from PIL import Image

from ..dataset import DataError
from ..parallel import in_order
from .drawing import draw
from .systems import System, stream, system_of_class

MANIFEST = "fractals.json"
FORMAT = 1
IMAGES = 3  # the stream of random numbers
CHUNK = 20  # images of one task
SPLITS = ("train", "val")
ASPECTS = (4 / 3, 3 / 2, 1.0, 3 / 4, 2 / 3, 16 / 9)
OFTEN = (0.45, 0.2, 0.12, 0.12, 0.06, 0.05)  # how photographs on the web are; ImageNet's are mostly 4:3
SIDES = (-0.3, 0.4)  # logarithm of an image's shorter side over the folder's size
GREY = 0.01  # share of grey images, as ImageNet has some
QUALITY = (70, 96)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a folder of fractals holds. The same plan gives the same pixels, whoever draws them.

    classes; train, val: images of each class; size: pixels of a typical shorter side; seed.
    """

    classes: int
    train: int
    val: int
    size: int
    seed: int = 0

    @property
    def images(self) -> int:
        return self.classes * (self.train + self.val)

    def class_name(self, label: int) -> str:
        return f"f{label:0{max(4, len(str(self.classes - 1)))}d}"


@dataclass(frozen=True)
class _Task:
    plan: Plan
    folder: Path
    split: str
    label: int
    first: int
    last: int


def write(folder: Path, plan: Plan, *, workers: int = 1, progress: Callable[[int], None] = lambda done: None) -> int:
    """Write the folder, or go on with one that was begun with the same plan. Returns how many images were drawn now.

    Each image appears whole or not at all, and an image that is there is not drawn again. `progress` hears how many
    images were dealt with since it last did. Raises DataError for a folder that holds anything else, and
    where images cannot be written.
    """
    _claim(folder, plan)
    drawn = 0
    try:
        tasks = list(_tasks(folder, plan))
        for task, fresh in zip(tasks, in_order(_draw_task, tasks, workers), strict=True):
            drawn += fresh
            progress(task.last - task.first)
    except OSError as error:
        raise DataError(
            f"{folder}: all images must be written ({error.strerror or error}). Those that were are kept: give the "
            "same options again to go on"
        ) from None
    return drawn


def _claim(folder: Path, plan: Plan) -> None:
    wanted = {"format": FORMAT, **asdict(plan)}
    manifest = folder / MANIFEST
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if manifest.exists():
            found = json.loads(manifest.read_text(encoding="utf-8"))
            if found != wanted:
                different = [f"{key} {found.get(key)}" for key in wanted if found.get(key) != wanted[key]]
                raise DataError(
                    f"{folder}: holds fractals of another plan ({', '.join(different)}). Give the same options to go "
                    "on with it, or another folder"
                )
        elif any(folder.iterdir()):
            raise DataError(f"{folder}: must be empty, or hold fractals that were begun. Give another folder")
        else:
            whole(manifest, json.dumps(wanted, indent=1).encode())
    except (OSError, ValueError, AttributeError) as error:
        raise DataError(f"{folder}: must be a folder that can be written to ({error})") from None


def _tasks(folder: Path, plan: Plan) -> Iterator[_Task]:
    for label in range(plan.classes):
        for split, images in zip(SPLITS, (plan.train, plan.val), strict=True):
            (folder / split / plan.class_name(label)).mkdir(parents=True, exist_ok=True)
            for first in range(0, images, CHUNK):
                yield _Task(plan, folder, split, label, first, min(first + CHUNK, images))


@lru_cache(maxsize=8)
def _system(seed: int, label: int) -> System:
    return system_of_class(seed, label)


def _draw_task(task: _Task) -> int:
    plan, drawn = task.plan, 0
    name = plan.class_name(task.label)
    for index in range(task.first, task.last):
        path = task.folder / task.split / name / f"{name}_{index}.JPEG"
        if not path.exists():
            random = stream(plan.seed, IMAGES, SPLITS.index(task.split), task.label, index)
            _save(path, _system(plan.seed, task.label), plan.size, random)
            drawn += 1
    return drawn


def _save(path: Path, system: System, size: int, random: Generator) -> None:
    height, width = _sides(size, random)
    image = Image.fromarray(draw(system, height, width, random))
    if random.random() < GREY:
        image = image.convert("L")
    part = path.with_suffix(".part")  # of a fixed name, so that what a killed run left is written over
    image.save(part, "JPEG", quality=int(random.integers(*QUALITY)))
    os.replace(part, path)


def _sides(size: int, random: Generator) -> tuple[int, int]:
    """Height and width: the shorter side around `size`, the longer as photographs have it."""
    shorter = size * np.exp(random.uniform(*SIDES))
    aspect = random.choice(ASPECTS, p=OFTEN)  # width over height
    height, width = (shorter, shorter * aspect) if aspect >= 1 else (shorter / aspect, shorter)
    return max(1, round(height)), max(1, round(width))


def whole(path: Path, content: bytes) -> None:
    """Write a small file so that it is there whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    os.replace(part, path)
