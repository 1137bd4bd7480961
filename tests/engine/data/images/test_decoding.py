"""Every kind of image file that is found in the wild comes out as RGB, or is refused with a reason."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from counterstream.engine.data.images.decoding import FORMATS, BadImage, Encoded

WIDTH, HEIGHT = 60, 40


def picture() -> Image.Image:
    """Smooth, so that JPEG keeps it nearly as it is: red rises to the right, green downwards."""
    across, down = np.meshgrid(np.linspace(0, 255, WIDTH), np.linspace(0, 255, HEIGHT))
    return Image.fromarray(np.stack([across, down, np.full_like(down, 90)], axis=-1).astype(np.uint8))


def written(image: Image.Image, form: str, **settings: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **settings)
    return file.getvalue()


def pixels(data: bytes) -> np.ndarray:
    image = Encoded(data).pixels()
    assert image.mode == "RGB"
    return np.asarray(image).astype(int)


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_gives_the_picture(form: str) -> None:
    tolerance = {"JPEG": 10, "WEBP": 40, "GIF": 40}.get(form, 0)
    assert np.abs(pixels(written(picture(), form)) - np.asarray(picture()).astype(int)).max() <= tolerance


@pytest.mark.parametrize("mode", ["L", "CMYK", "P", "1", "LA", "RGBA"])
def test_other_modes_give_the_same_colours(mode: str) -> None:
    image = picture().convert(mode)
    data = written(image, "JPEG" if mode in ("L", "CMYK") else "PNG")
    assert np.abs(pixels(data) - np.asarray(image.convert("RGB")).astype(int)).max() <= 10


def test_grey_is_repeated_in_three_channels() -> None:
    grey = pixels(written(picture().convert("L"), "JPEG"))
    assert (grey[..., 0] == grey[..., 1]).all()
    assert (grey[..., 0] == grey[..., 2]).all()


def test_sixteen_bits_are_scaled_and_not_clipped() -> None:
    """What PIL's own conversion makes of 16-bit grey is white wherever it is brighter than 1/256."""
    deep = np.linspace(0, 65535, WIDTH * HEIGHT).astype(np.uint16).reshape(HEIGHT, WIDTH)
    for form in ("PNG", "TIFF"):
        found = pixels(written(Image.fromarray(deep), form))[..., 0]
        assert np.abs(found - deep / 257).max() <= 0.5 + 1e-3


def test_transparent_parts_are_white() -> None:
    image = Image.new("RGBA", (4, 4), (200, 10, 10, 0))
    assert (pixels(written(image, "PNG")) == 255).all()
    palette = Image.new("P", (4, 4), 1)
    palette.putpalette([0, 0, 0, 200, 10, 10])
    assert (pixels(written(palette, "PNG", transparency=1)) == 255).all()
    keyed = Image.new("RGB", (4, 4), (9, 9, 9))
    assert (pixels(written(keyed, "PNG", transparency=(9, 9, 9))) == 255).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_are_turned_as_exif_says(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = Encoded(written(picture(), "JPEG", exif=exif, quality=95))
    assert turned.size == ((WIDTH, HEIGHT) if orientation <= 4 else (HEIGHT, WIDTH))
    found = np.asarray(turned.pixels()).astype(int)
    assert found.shape[:2] == turned.size[::-1]
    # The upper left of the file is dark in red and green; where it is now, the tag's definition says.
    corners = {1: (0, 0), 2: (0, -1), 3: (-1, -1), 4: (-1, 0), 5: (0, 0), 6: (0, -1), 7: (-1, -1), 8: (-1, 0)}
    assert found[corners[orientation]][:2].max() < 20


@pytest.mark.parametrize("exif", [b"Exif\0\0no tags at all", b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01", b"Exif\0\0"])
def test_exif_that_cannot_be_understood_spoils_nothing(exif: bytes) -> None:
    assert Encoded(written(picture(), "JPEG", exif=exif)).pixels().size == (WIDTH, HEIGHT)


def test_the_name_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "it_is_a_png.JPEG").write_bytes(written(picture(), "PNG"))
    assert (pixels((tmp_path / "it_is_a_png.JPEG").read_bytes()) == np.asarray(picture())).all()


def test_one_pixel() -> None:
    assert pixels(written(Image.new("RGB", (1, 1), (1, 2, 3)), "PNG")).tolist() == [[[1, 2, 3]]]


def test_a_jpeg_comes_smaller_but_never_too_small() -> None:
    data = written(picture().resize((400, 300)), "JPEG")
    for least in [(400, 300), (399, 299), (201, 100), (200, 150), (100, 75), (90, 10), (1, 1)]:
        size = Encoded(data).pixels(least).size
        assert size[0] >= least[0]
        assert size[1] >= least[1]
    assert Encoded(data).pixels((200, 150)).size == (200, 150)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b"no image at all" * 10, "it is no image of a known format (JPEG, PNG"),
        (written(picture(), "JPEG")[:700], "truncated"),
        (written(picture(), "PNG")[:-30], ""),
        (written(picture().convert("F"), "TIFF"), "its pixels are 32-bit numbers (mode F)"),
        (written(picture(), "JPEG")[:30], ""),
    ],
)
def test_what_cannot_be_decoded_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(BadImage) as error:
        Encoded(data).pixels()
    assert reason in str(error.value)
    assert str(error.value)


def test_bombs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(BadImage, match="exceeds limit of"):
        Encoded(written(picture(), "PNG"))
