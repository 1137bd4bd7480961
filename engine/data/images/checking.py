"""Every image of a folder or a packed file decoded once: what kinds there are, and which are bad."""

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

from ..dataset import DataError
from ..parallel import in_order
from .decoding import BadImage
from .layout import ENDINGS, SPLITS, Layout
from .packed import PackedFile
from .source import Files, Source

CHUNK = 32  # images of one task
OTHERS = 1000  # names of files that are no images, at most


@dataclass
class Found:
    """What a check found. Names are paths from the folder, or within the packed file."""

    images: int = 0
    classes: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    """How many there are of each kind, such as JPEG RGB."""
    bad: dict[str, str] = field(default_factory=dict)
    """Why bad files are, by name."""
    others: list[str] = field(default_factory=list)
    """Files in the folders of classes that are no images by their names, and so are not read."""


class _Seen(NamedTuple):
    name: str
    kind: str = ""
    reason: str = ""


def check(
    place: Path, *, truth: Path | None = None, workers: int = 1, progress: Callable[[int], None] = lambda done: None
) -> Found:
    """Look at every image of a folder in ImageNet's layout, or of a packed file.

    `progress` hears how many were looked at since it last did. Raises DataError where `place` is neither.
    """
    found = Found()
    for split, source in sources(place, truth).items():
        found.images += len(source.labels)
        tasks = (range(n, min(n + CHUNK, len(source.labels))) for n in range(0, len(source.labels), CHUNK))
        for seen in in_order(partial(_look, source, split), tasks, workers):
            for one in seen:
                if one.reason:
                    found.bad[one.name] = one.reason
                else:
                    found.kinds[one.kind] += 1
            progress(len(seen))
    if place.is_dir():
        found.classes = len(Layout(place).classes)
        found.others = _others(place)
    else:
        found.classes = len(PackedFile.open(place).classes)
    return found


def sources(place: Path, truth: Path | None = None) -> dict[str, Source]:
    """The images to train and to validate on, by split."""
    if place.is_file():
        if truth is not None:
            raise DataError(f"{truth}: a file of classes goes with a folder (got {place}, which was packed with it)")
        file = PackedFile.open(place)
        return {split: file.split(split) for split in SPLITS}
    layout = Layout(place)
    return {"train": Files(layout.train()), "val": Files(layout.val(truth))}


def write_list(file: Path, found: Found) -> None:
    """The bad files, a line each, their reasons behind a tab: what `exclude` in an experiment reads."""
    try:
        file.write_text("".join(f"{name}\t{reason}\n" for name, reason in found.bad.items()), errors="surrogateescape")
    except OSError as error:
        raise DataError(f"{file}: the list must be written ({error.strerror or error})") from None


def see_that_it_can_be_written(file: Path) -> None:
    """Raises DataError where a list cannot be: better before a million images are looked at. Nothing is changed."""
    was_there = file.exists()
    try:
        file.open("ab").close()
        if not was_there:
            file.unlink()
    except OSError as error:
        raise DataError(f"{file}: the list must be written ({error.strerror or error})") from None


def _look(source: Source, split: str, positions: range) -> list[_Seen]:
    return [_look_at(source, split, position) for position in positions]


def _look_at(source: Source, split: str, position: int) -> _Seen:
    name = f"{split}/{source.short_name(position)}"
    try:
        image = source.open(position)
        image.verify()
        image.pixels()
    except BadImage as error:
        return _Seen(name, reason=str(error))
    return _Seen(name, kind=image.kind)


def _others(root: Path) -> list[str]:
    found: list[str] = []
    for split in SPLITS:
        for folder, _, files in os.walk(root / split):
            for name in sorted(files):
                if not name.lower().endswith(ENDINGS) and len(found) < OTHERS:
                    found.append(str((Path(folder) / name).relative_to(root)))
    return found
