"""What the network sees of an image: torchvision's evaluation to the last bit, its training crops closely."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision import transforms

from counterstream.engine.data.images.decoding import Encoded
from counterstream.engine.data.images.variation import Varying
from counterstream.engine.data.images.views import Interpolation, View


def encoded(width: int, height: int, form: str = "JPEG") -> bytes:
    """Blobs of colour with some detail."""
    random = np.random.default_rng(width * 7919 + height)
    coarse = Image.fromarray(random.integers(0, 255, (5, 6, 3), dtype=np.uint8))
    file = io.BytesIO()
    coarse.resize((width, height), Image.Resampling.BICUBIC).save(file, form, quality=95)
    return file.getvalue()


@settings(max_examples=40)
@given(
    width=st.integers(1, 200),
    height=st.integers(1, 200),
    size=st.integers(1, 40),
    more=st.integers(0, 20),
    interpolation=st.sampled_from(["bilinear", "bicubic"]),
)
def test_evaluation_is_torchvisions(
    width: int, height: int, size: int, more: int, interpolation: Interpolation
) -> None:
    data = encoded(width, height)
    view = View(size=size, shorter=size + more, interpolation=interpolation)
    oracle = transforms.Compose(
        [
            transforms.Resize(size + more, interpolation=transforms.InterpolationMode(interpolation)),
            transforms.CenterCrop(size),
        ]
    )
    expected = np.asarray(oracle(Image.open(io.BytesIO(data)).convert("RGB")))
    assert np.array_equal(view.evaluated(Encoded(data)), expected)


@pytest.mark.parametrize(("form", "tolerance"), [("PNG", 0.5), ("JPEG", 4.0)])
def test_a_training_crop_is_the_box_resized(form: str, tolerance: float) -> None:
    """Close to a crop of the whole image that is resized by itself: what differs is the edge, where the filter sees
    beyond the box, and for JPEGs the decoder's own way to a half or a quarter, coarser in colour.
    """
    data, view, varying = encoded(500, 375, form), View(size=32, shorter=32), Varying()
    for sample in range(20):
        cut = varying.of(0, 0, sample, 1).cut
        whole = Image.open(io.BytesIO(data)).convert("RGB")
        box = varying.box(cut, whole.size)
        expected = np.asarray(whole.crop(box).resize((32, 32), Image.Resampling.BILINEAR)).astype(float)
        difference = (view.trained(Encoded(data), cut, varying) - expected)[1:-1, 1:-1]
        assert np.sqrt((difference**2).mean()) < tolerance


def test_an_image_smaller_than_the_square_is_scaled_up() -> None:
    data, view = encoded(1, 1), View(size=8, shorter=9)
    assert view.evaluated(Encoded(data)).shape == (8, 8, 3)
    trained = view.trained(Encoded(data), Varying().of(0, 0, 0, 1).cut, Varying())
    assert trained.shape == (8, 8, 3)
    assert np.ptp(trained, axis=(0, 1)).max() == 0
