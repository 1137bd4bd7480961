"""A contact sheet: a few images of a few classes of a folder, to look at."""

from pathlib import Path

from .dataset import DataError

GAP, MARGIN, INK = 4, 110, 12
ENDINGS = (".jpeg", ".jpg", ".png")


def sheet(
    folder: Path, output: Path, *, split: str = "train", classes: int = 10, images: int = 8, side: int = 96
) -> int:
    """Write `output`: a row for each of the first `classes` classes, spread over all of them, with its first `images`.

    Returns the number of images on it. Raises DataError where there are none, and where it cannot be written.
    """
    from PIL import Image, ImageDraw

    found = sorted(path for path in (folder / split).glob("*") if path.is_dir())
    if not found:
        raise DataError(f"{folder / split}: must hold a folder of images for each class (got none)")
    rows = found[:: max(1, len(found) // classes)][:classes]
    page = Image.new("RGB", (MARGIN + images * (side + GAP), len(rows) * (side + GAP)), "white")
    pen, drawn = ImageDraw.Draw(page), 0
    for row, folder_of_class in enumerate(rows):
        pen.text((GAP, row * (side + GAP) + side // 2 - INK), folder_of_class.name, fill="black", font_size=INK)
        files = sorted(path for path in folder_of_class.iterdir() if path.suffix.lower() in ENDINGS)
        for column, file in enumerate(files[:images]):
            with Image.open(file) as image:
                small = image.convert("RGB")
            small.thumbnail((side, side))
            left = MARGIN + column * (side + GAP) + (side - small.width) // 2
            page.paste(small, (left, row * (side + GAP) + (side - small.height) // 2))
            drawn += 1
    try:
        page.save(output)
    except (OSError, ValueError) as error:  # a ValueError is about the ending of its name
        why = getattr(error, "strerror", None) or f"{error}. Give it a name such as sheet.png"
        raise DataError(f"{output}: the sheet cannot be written ({why})") from None
    return drawn
