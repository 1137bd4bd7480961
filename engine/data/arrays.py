"""The user's own data: NumPy arrays in one .npz file."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from pydantic import Field, GetJsonSchemaHandler, model_validator

from ...circuits.errors import suggest
from .dataset import DataError, Dataset, Floats, Labels
from .in_memory import InMemory
from .source import DataSource

REQUIRED = ("x_train", "y_train", "x_test", "y_test")
OPTIONAL = ("x_validation", "y_validation")
MAXIMAL_CLASSES = 2**31  # more are no classes, and would overflow


class Arrays(DataSource):
    """The user's own arrays. Written as `npz: FILE`, or `npz: {file: FILE}`."""

    kind: ClassVar[str] = "npz"
    about: ClassVar[str] = (
        "your own arrays: x_train, y_train, x_test, y_test [, x_validation, y_validation] in a .npz file"
    )

    file: str = Field(description="A .npz file, relative to the experiment's file.")

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, value: Any) -> Any:
        return {"file": value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: GetJsonSchemaHandler) -> Any:
        return {"anyOf": [{"type": "string"}, handler(core_schema)]}

    def load(self) -> Dataset:
        return npz(self.file)

    def anchored(self, folder: Path) -> Self:
        return self.model_copy(update={"file": str(folder / self.file)})


def npz(path: str | Path) -> Dataset:
    """Read `x_train, y_train, x_test, y_test` and, if wanted, `x_validation, y_validation` from a .npz file.

    x: (samples, *sample shape), real numbers, taken as they are and turned into float32 (scaling is yours to
    do); y: (samples,), class labels 0, 1, ... The number of classes is the largest label plus one. Nothing is
    unpickled. Raises DataError with every problem found.
    """
    arrays = _read(Path(path))
    problems = _missing(arrays)
    splits: dict[str, InMemory] = {}
    for purpose in ("train", "test", "validation"):
        if f"x_{purpose}" in arrays and f"y_{purpose}" in arrays:
            images, labels = arrays[f"x_{purpose}"], arrays[f"y_{purpose}"]
            found = _faults(purpose, images, labels)
            problems += found
            if not found:
                splits[purpose] = InMemory(_floats(images), _integers(labels))
    problems += _shapes(splits)
    if problems:
        raise DataError("\n".join(f"{path}: {problem}" for problem in problems))
    classes = 1 + max(int(split.labels.max()) for split in splits.values())
    return Dataset(Path(path).name, classes, splits["train"], splits["test"], splits.get("validation"))


def _read(path: Path) -> Mapping[str, Any]:
    if path.exists() and not path.is_file() and not path.is_dir():  # a device or a pipe may never end
        raise DataError(f"{path}: the data file must be a regular one")
    try:
        with path.open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise DataError(
                    f"{path}: the file must be a .npz archive, as numpy.savez writes it (got a single array)"
                )
            return {name: archive[name] for name in archive.files}
    except OSError as error:
        raise DataError(f"{path}: the data file must be readable ({error.strerror or error})") from None
    except (ValueError, zipfile.BadZipFile, EOFError) as error:
        pickled = "pickle" in str(error) and zipfile.is_zipfile(path)  # numpy takes any text for a pickle
        text = "holds Python objects, which are never unpickled" if pickled else "is not such an archive"
        raise DataError(f"{path}: the file must be a .npz archive of plain arrays (it {text})") from None


def _missing(arrays: Mapping[str, Any]) -> list[str]:
    wanted = list(REQUIRED)
    if any(name in arrays for name in OPTIONAL):
        wanted += OPTIONAL
    return [
        f"array '{name}' must be in the file. {suggest(name, arrays, 'arrays in it')}"
        for name in wanted
        if name not in arrays
    ]


def _faults(purpose: str, images: Any, labels: Any) -> list[str]:
    x, y = f"x_{purpose}", f"y_{purpose}"
    faults = []
    if not np.issubdtype(images.dtype, np.number) or np.iscomplexobj(images):
        faults.append(f"{x}: values must be real numbers (got {images.dtype})")
    elif images.ndim < 2:
        faults.append(f"{x}: the shape must be [samples, ...] with at least 2 axes (got {list(images.shape)})")
    elif bad := _not_finite(images):
        faults.append(f"{x}: values must be finite in float32 (got {bad} NaN, infinite or too large ones)")
    if labels.ndim != 1:
        faults.append(
            f"{y}: the shape must be [samples] (got {list(labels.shape)}). Give class labels, not one-hot rows"
        )
    elif not _whole(labels):
        faults.append(f"{y}: labels must be whole numbers (got {labels.dtype})")
    elif len(labels) and labels.min() < 0:
        faults.append(f"{y}: labels must be 0 or more (got {labels.min()})")
    elif len(labels) and labels.max() >= MAXIMAL_CLASSES:
        faults.append(f"{y}: labels must be less than {MAXIMAL_CLASSES} (got {labels.max()})")
    if images.ndim and labels.ndim == 1 and len(images) != len(labels):
        faults.append(
            f"{y}: there must be a label for each sample of {x} (got {len(labels)} labels, {len(images)} samples)"
        )
    elif labels.ndim == 1 and not len(labels):
        faults.append(f"{y}: there must be at least one sample (got none)")
    return faults


def _not_finite(images: Any) -> int:
    return int(np.count_nonzero(~(np.abs(images.astype(np.float64)) <= np.finfo(np.float32).max)))


def _whole(labels: Any) -> bool:
    if np.issubdtype(labels.dtype, np.integer):
        return True
    return np.issubdtype(labels.dtype, np.floating) and bool(
        np.isfinite(labels).all() and (labels == np.round(labels)).all()
    )


def _shapes(splits: Mapping[str, InMemory]) -> list[str]:
    if "train" not in splits:
        return []
    wanted = splits["train"].images.shape[1:]
    highest = int(splits["train"].labels.max())
    faults = []
    for purpose, split in splits.items():
        if split.images.shape[1:] != wanted:
            faults.append(
                f"x_{purpose}: a sample must have the shape {list(wanted)} of those in x_train (got "
                f"{list(split.images.shape[1:])})"
            )
        if split.labels.max() > highest:
            faults.append(f"y_{purpose}: labels must occur in y_train, 0 to {highest} (got {split.labels.max()})")
    return faults


def _floats(array: Any) -> Floats:
    return np.ascontiguousarray(array, dtype=np.float32)


def _integers(array: Any) -> Labels:
    return np.ascontiguousarray(array, dtype=np.int64)
