"""The files that say which class each of ImageNet's validation images is of, where these lie in one folder.

Three forms are read, told apart by what they hold:

    LOC_val_solution.csv                        `ImageId,PredictionString`, then `ILSVRC2012_val_00000001,n01751748 ...`
    ILSVRC2012_validation_ground_truth.txt      a number of a class a line, in the order of the images' names, with
                                                meta.mat beside it (of the development kit), which names the classes
    val.txt with names                          `ILSVRC2012_val_00000001.JPEG n01751748`
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ..dataset import DataError

PLACES = (
    "LOC_val_solution.csv",
    "ILSVRC2012_validation_ground_truth.txt",
    "ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt",
    "val.txt",
)
"""Where a file is looked for, from the folder of the data set."""
META = "meta.mat"

Classes = Callable[[Sequence[str]], Mapping[str, str]]
"""From the images' names, in order, to the class of each."""


def ground_truth(root: Path, given: Path | None) -> tuple[Path, Classes]:
    """The file, and what it says. Raises DataError where there is none, or it is not understood."""
    file = given or next((root / place for place in PLACES if (root / place).is_file()), None)
    if file is None:
        raise DataError(
            f"{root / 'val'}: must hold a folder for each class, or all images and beside it a file that says their "
            f"classes (got neither). Looked for {', '.join(PLACES)} in {root}; name another with `ground_truth`"
        )
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: the file of classes must be readable text ({error})") from None
    rows = [line.strip() for line in lines if line.strip()]
    if rows and rows[0].startswith("ImageId"):
        return file, lambda images: _by_stem(images, dict(_pair(file, row, ",") for row in rows[1:]))
    if all(row.isdecimal() for row in rows):
        return file, lambda images: _in_order(file, images, rows)
    return file, lambda images: _by_stem(images, dict(_pair(file, row, None) for row in rows))


def _pair(file: Path, row: str, separator: str | None) -> tuple[str, str]:
    image, _, rest = row.partition(separator) if separator else row.partition(" ")
    if not rest.split():
        raise DataError(f"{file}: a line must name an image and its class (got {row!r})")
    return Path(image).stem, rest.split()[0]


def _by_stem(images: Sequence[str], named: Mapping[str, str]) -> dict[str, str]:
    return {image: named[Path(image).stem] for image in images if Path(image).stem in named}


def _in_order(file: Path, images: Sequence[str], rows: Sequence[str]) -> dict[str, str]:
    if len(rows) != len(images):
        raise DataError(f"{file}: must have a line for each of {len(images)} images (got {len(rows)})")
    names = _wordnet_names(file.with_name(META))
    missing = next((row for row in rows if int(row) not in names), None)
    if missing is not None:
        raise DataError(f"{file}: numbers must be those of classes in {META} (got {missing})")
    return {image: names[int(row)] for image, row in zip(images, rows, strict=True)}


def _wordnet_names(file: Path) -> dict[int, str]:
    """From a class's number in the challenge to its WordNet name, which its folder has."""
    from scipy.io import loadmat

    try:
        synsets = loadmat(file, squeeze_me=True)["synsets"]
        return {int(number): str(name) for number, name in zip(synsets["ILSVRC2012_ID"], synsets["WNID"], strict=True)}
    except Exception as error:
        raise DataError(
            f"{file}: must be the {META} of ImageNet's development kit, for numbers say no names ({error})"
        ) from None
