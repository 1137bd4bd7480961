"""The bytes of an image file, opened: what size it is, and its pixels as RGB, whatever kind of image it is."""

import io
import warnings
from functools import partial

from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
ORIENTATION = 0x0112  # the EXIF tag
UPRIGHT = (None, 1)
DEEP = ("I;16", "I;16L", "I;16B", "I;16N")  # 16 bits of grey
REFUSED = ("F", "I")  # 32 bits, whose range nothing states
BEHIND = (255, 255, 255)  # what transparent images lie on

Size = tuple[int, int]
"""Width and height, as PIL has them."""


class BadImage(Exception):
    """Why bytes are no image that can be decoded."""


class Encoded:
    """An encoded image. Opening reads its header alone.

    Its content says what it is, not its name. Grey is repeated in three channels; 16 bits are scaled to 8; CMYK and
    palettes are converted; what is transparent is laid on white; it is turned as EXIF says. Colour profiles are
    ignored. Of animations, the first picture counts. Raises BadImage for what is no image, or ends too early, or has
    more than PIL's limit of pixels.
    """

    def __init__(self, data: bytes | memoryview) -> None:
        if not len(data):
            raise BadImage("the file is empty")
        self._data = data
        self._image = _careful(partial(Image.open, io.BytesIO(data), formats=FORMATS))
        self._form, self._mode = self._image.format, self._image.mode
        self._turned = _orientation(self._image) not in UPRIGHT
        if self._turned:
            self._image = _careful(partial(ImageOps.exif_transpose, self._image))
        self.size: Size = self._image.size

    @property
    def kind(self) -> str:
        """What it was in the file: its format and PIL's name for its pixels."""
        return f"{self._form} {self._mode}{', turned' if self._turned else ''}"

    @property
    def plain(self) -> bool:
        """Whether it is a JPEG that decodes to grey or RGB with nothing to be turned."""
        return self._image.format == "JPEG" and self._image.mode in ("L", "RGB")

    def pixels(self, least: Size | None = None) -> Image.Image:
        """All of it as RGB. With `least`, a JPEG may come in half, a quarter or an eighth of its size, which is decoded
        faster, as long as both sides are at least so long.
        """
        if least is not None and self.plain:
            self._image.draft(None, least)
        _careful(self._image.load)
        return _rgb(self._image)

    def verify(self) -> None:
        """Compare the checksums that the file has, which decoding does not. JPEGs have none. Raises BadImage."""
        again = _careful(partial(Image.open, io.BytesIO(self._data), formats=FORMATS))
        _careful(again.verify)


def _orientation(image: Image.Image) -> int | None:
    """What EXIF says, if it can be understood: some cameras write what cannot, beside good pixels."""
    if image.format == "JPEG" and "exif" not in image.info:
        return None
    try:
        found = _careful(image.getexif).get(ORIENTATION)
    except BadImage:
        return None
    return found if found in range(1, 9) else None


def _careful(action):  # type: ignore[no-untyped-def] # the action's own type
    """What `action` returns. Anything that PIL raises for broken files becomes BadImage; it is not only OSError."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of tags and palettes that do not matter here
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            return action()
        except MemoryError:  # says nothing about the file
            raise
        except UnidentifiedImageError:
            raise BadImage(f"it is no image of a known format ({', '.join(FORMATS)})") from None
        except Exception as error:
            raise BadImage(str(error) or type(error).__name__) from None


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode in REFUSED:
        raise BadImage(f"its pixels are 32-bit numbers (mode {image.mode}), of which nothing says what is white")
    if image.mode in DEEP:
        return image.point(lambda value: value * (1 / 257) + 0.5, "L").convert("RGB")
    if "A" in image.getbands() or "a" in image.getbands() or "transparency" in image.info:
        layer = image.convert("RGBA")
        behind = Image.new("RGBA", image.size, BEHIND)
        return Image.alpha_composite(behind, layer).convert("RGB")
    return _careful(partial(image.convert, "RGB"))
