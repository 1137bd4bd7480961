"""PNG: the same scene, by matplotlib."""

from io import BytesIO

import numpy as np
import pytest

import counterstream as cs
from counterstream.circuits.drawing import as_png, picture, png
from counterstream.circuits.drawing.png import DOTS
from counterstream.circuits.drawing.scene import Scene


def pixels(scene: Scene) -> np.ndarray:
    from matplotlib.image import imread

    return np.rint(imread(BytesIO(as_png(scene)))[..., :3] * 255)


@pytest.mark.parametrize("learning", ["backprop", "kolen_pollack"])
def test_size_and_red(learning: str) -> None:
    scene = picture(cs.load("mlp", learning=learning))
    painted = pixels(scene)
    assert painted.shape[:2] == pytest.approx((scene.height * DOTS, scene.width * DOTS), abs=2)
    red = (abs(painted - (0xD1, 0x10, 0x1D)) < 3).all(axis=-1).any()
    assert red == (learning == "backprop")


def test_odd_text_is_painted_as_it_is() -> None:
    circuit = cs.load("mlp").model_copy(update={"name": "$x_1$ \\frac % {", "description": "a_b^c $"})
    assert as_png(picture(circuit)).startswith(b"\x89PNG")


def test_a_large_picture_is_painted_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(png, "MOST_DOTS", 500)
    assert max(pixels(picture(cs.load("mlp"))).shape) in (499, 500, 501)
