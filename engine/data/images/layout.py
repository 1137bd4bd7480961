"""The layout of ImageNet: `train/CLASS/*` and `val/CLASS/*`, or `val/*` with a file that says each one's class."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from ....circuits.errors import suggest
from ..dataset import DataError
from .ground_truth import META, ground_truth
from .index import Index, indexed

ENDINGS = (".jpeg", ".jpg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm")
"""Of the files that are taken for images, in small or capital letters. Hidden files are not."""
SPLITS = ("train", "val")


class Layout:
    """A folder of images in ImageNet's layout.

    Classes are the folders of `train`, in the order of their names; their labels are 0, 1, ... A class's images are the
    files in its folder, in the order of theirs. The files named in `exclude`, a path from the folder a line and perhaps
    more behind a tab, are left out. Raises DataError where there is no such folder or list.
    """

    def __init__(self, root: Path, exclude: Path | None = None) -> None:
        self.root = root.absolute()
        self._excluded = _excluded(exclude)
        if self.root.is_file():
            raise DataError(f"{root}: must be a folder (got a file). Name a packed one with packed: FILE")
        for split in SPLITS:
            if not (self.root / split).is_dir():
                raise DataError(
                    f"{root}: must be a folder in ImageNet's layout, with train/CLASS/*.JPEG and val/CLASS/*.JPEG "
                    f"(got no folder {split} in it)"
                )
        self.classes = tuple(name for name, _ in _folders(self.root / "train"))
        if not self.classes:
            raise DataError(f"{self.root / 'train'}: must hold a folder of images for each class (got none)")

    def train(self) -> Index:
        """The training images."""
        return self._of_folders("train")

    def val(self, truth: Path | None = None) -> Index:
        """The validation images; `truth` is the file that says their classes, where no folders do. Raises DataError
        where both do: which of them counts is not ours to choose.
        """
        folders = _folders(self.root / "val")
        if not folders:
            return self._flat(truth)
        if truth is not None:
            raise DataError(
                f"{truth}: a file of classes is for images that lie in {self.root / 'val'} itself (got folders of "
                f"classes there, such as {folders[0][0]}, and those say them). Leave out one of them"
            )
        return self._of_folders("val")

    def _of_folders(self, split: str) -> Index:
        folder = self.root / split
        found = _folders(folder)
        labels = {name: label for label, name in enumerate(self.classes)}
        for name, _ in found:
            if name not in labels:
                hint = suggest(name, self.classes, "classes")
                raise DataError(f"{folder / name}: must be a class that train has. {hint}")

        def listing() -> Iterator[tuple[int, Sequence[str]]]:
            for name, _ in found:
                images = [image for image in _images(folder / name) if f"{split}/{name}/{image}" not in self._excluded]
                if not images and split == "train":
                    raise DataError(
                        f"{folder / name}: a class must have an image to train on (got no file that ends in one of "
                        f"{', '.join(ENDINGS)})"
                    )
                yield labels[name], [f"{name}/{image}" for image in images]

        return _some(indexed(folder, [*found, *self._lasting], listing))

    def _flat(self, truth: Path | None) -> Index:
        folder = self.root / "val"
        file, classes = ground_truth(self.root, truth)
        said_in = [file, *([beside] if (beside := file.with_name(META)).is_file() else [])]
        seen = [(entry, os.stat(entry).st_mtime_ns) for entry in (folder, *said_in)]

        def listing() -> Iterator[tuple[int, Sequence[str]]]:
            images = _images(folder)
            named = classes(images)  # of all of them: a file may say classes by place
            labels = {name: label for label, name in enumerate(self.classes)}
            for image in images:
                if f"val/{image}" not in self._excluded:
                    yield _label(file, image, named, labels), [image]

        return _some(indexed(folder, [*((str(entry), changed) for entry, changed in seen), *self._lasting], listing))

    @property
    def _lasting(self) -> list[tuple[str, int]]:
        """What an index depends on beside its folders, in their form: what is left out, and which label a class has."""
        without = [(f"without {name}", 0) for name in sorted(self._excluded)]
        return [*without, *((f"class {name}", label) for label, name in enumerate(self.classes))]


def _excluded(file: Path | None) -> frozenset[str]:
    if file is None:
        return frozenset()
    try:
        lines = file.read_text(encoding="utf-8", errors="surrogateescape").split("\n")
    except OSError as error:
        raise DataError(f"{file}: the list of files to exclude must be readable ({error.strerror or error})") from None
    return frozenset(name for line in lines if (name := line.partition("\t")[0].strip()))


def _label(file: Path, image: str, named: Mapping[str, str], labels: Mapping[str, int]) -> int:
    if image not in named:
        raise DataError(f"{file}: must say the class of every validation image (got none for {image})")
    if named[image] not in labels:
        hint = suggest(named[image], labels, "classes")
        raise DataError(f"{file}: the class of {image} must be one that train has. {hint}")
    return labels[named[image]]


def _some(index: Index) -> Index:
    if not len(index):
        raise DataError(f"{index.root}: must hold images (got no file that ends in one of {', '.join(ENDINGS)})")
    return index


def _folders(folder: Path) -> list[tuple[str, int]]:
    """(name, time of change in ns) of the folders in a folder, by name; hidden ones left out."""
    with _entries(folder) as entries:
        return sorted((e.name, e.stat().st_mtime_ns) for e in entries if not e.name.startswith(".") and e.is_dir())


def _images(folder: Path) -> list[str]:
    """Names of the image files in a folder, in order."""
    with _entries(folder) as entries:
        names = (entry.name for entry in entries if not entry.is_dir(follow_symlinks=False))
        return sorted(name for name in names if name.lower().endswith(ENDINGS) and not name.startswith("."))


@contextmanager
def _entries(folder: Path) -> Iterator[Iterator[os.DirEntry[str]]]:
    """What a folder holds. Raises DataError where it cannot be listed."""
    try:
        with os.scandir(folder) as entries:
            yield entries
    except OSError as error:
        raise DataError(f"{folder}: the folder must be readable ({error.strerror or error})") from None
