"""A contact sheet: a few images of a few classes of a folder, to look at."""

from pathlib import Path

from .dataset import DataError

GAP, MARGIN, INK = 4, 110, 12


def sheet(
    folder: Path, output: Path, *, split: str = "train", classes: int = 10, images: int = 8, side: int = 96
) -> tuple[int, int]:
    """Write `output`: a row for each of the first `classes` classes, spread over all of them, with its first `images`.

    Returns how many images are on it, and in the place of how many it says that they are bad. Raises DataError where
    there are none, and where it cannot be written.
    """
    from PIL import Image, ImageDraw

    from .images.decoding import BadImage, Encoded
    from .images.layout import ENDINGS

    found = sorted(path for path in (folder / split).glob("*") if path.is_dir())
    if not found:
        raise DataError(f"{folder / split}: must hold a folder of images for each class (got none)")
    rows = found[:: max(1, len(found) // classes)][:classes]
    page = Image.new("RGB", (MARGIN + images * (side + GAP), len(rows) * (side + GAP)), "white")
    pen, drawn, bad = ImageDraw.Draw(page), 0, 0
    for row, folder_of_class in enumerate(rows):
        pen.text((GAP, row * (side + GAP) + side // 2 - INK), folder_of_class.name, fill="black", font_size=INK)
        files = sorted(path for path in folder_of_class.iterdir() if path.suffix.lower() in ENDINGS)
        for column, file in enumerate(files[:images]):
            left, top = MARGIN + column * (side + GAP), row * (side + GAP)
            try:
                small = Encoded(file.read_bytes()).pixels((side, side))
            except (BadImage, OSError):
                pen.text((left + side // 2 - INK, top + side // 2 - INK), "bad", fill="red", font_size=INK)
                bad += 1
                continue
            small.thumbnail((side, side))
            page.paste(small, (left + (side - small.width) // 2, top + (side - small.height) // 2))
            drawn += 1
    try:
        page.save(output)
    except (OSError, ValueError) as error:  # a ValueError is about the ending of its name
        why = getattr(error, "strerror", None) or f"{error}. Give it a name such as sheet.png"
        raise DataError(f"{output}: the sheet cannot be written ({why})") from None
    return drawn, bad
