"""One image of a class: its system varied, placed, coloured, and put before a background.

What tells classes apart is shape and, less, colour, of which a class has a habit as things in photographs do.
Background, place, size and orientation are drawn for each image.
"""

from dataclasses import replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image

from .systems import Array, System, random_system, rotations, stream

Pixels = NDArray[np.uint8]

# How much images of one class differ. How well systems learn images drawn so: docs/rehearsal.md.
MAPS_VARY = 0.03  # standard deviation of each number of a map
TURN = np.pi / 8  # to either side
STRETCH, SHEAR = 0.15, 0.15  # of one axis against the other, up to
EXTENT = (0.75, 1.05)  # of the fractal, in sides of the image
CLUTTER = 1  # foreign systems in the background, at most
NOISE = 8.0  # standard deviation of a pixel, up to
CONTRAST = 20.0  # of the background's patches
HABIT = 0.75  # how much of a palette is the class's; the rest is the image's own
VISIBLE = 100.0  # least distance, in one channel, of the fractal's mean colour from what is behind it
LARGEST_GAIN = 0.92  # singular value to which varied maps are held, so that they contract still


def draw(system: System, height: int, width: int, random: Generator) -> Pixels:
    """An image (height, width, 3) of the class of `system`. A function of its arguments and of `random`'s state."""
    image = _background(height, width, random)
    for _ in range(random.integers(0, CLUTTER + 1)):
        foreign = random_system(random)
        _paint(image, foreign, _palette(random), random, extent=(0.15, 0.4), opacity=0.6, turn=np.pi)
    palette = HABIT * _palette(stream(*system.habit)) + (1 - HABIT) * _palette(random)
    _paint(image, varied(system, random), palette, random, extent=EXTENT, opacity=1.0, turn=TURN)
    image += random.normal(0, random.uniform(0, NOISE), (height, width, 1)).astype(np.float32)
    return np.clip(image, 0, 255).astype(np.uint8)


def varied(system: System, random: Generator) -> System:
    """The system with every number of its maps changed a little."""
    matrices = system.matrices + random.normal(0, MAPS_VARY, system.matrices.shape)
    gains = np.linalg.norm(matrices, ord=2, axis=(1, 2))
    matrices *= np.minimum(1, LARGEST_GAIN / gains)[:, None, None]
    return replace(system, matrices=matrices, offsets=system.offsets + random.normal(0, MAPS_VARY, (len(gains), 2)))


def _background(height: int, width: int, random: Generator) -> NDArray[np.float32]:
    """Smooth patches of colour, (height, width, 3), up to CONTRAST around a mean colour of their own."""
    rows, columns = random.integers(2, 9, 2)
    colour, contrast = random.uniform(50, 205, 3), random.uniform(0, CONTRAST)
    patches = colour + random.normal(0, contrast, (rows, columns, 3))
    small = Image.fromarray(np.clip(patches, 0, 255).astype(np.uint8))
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC), np.float32)


def _paint(
    image: NDArray[np.float32],
    system: System,
    palette: Array,
    random: Generator,
    *,
    extent: tuple[float, float],
    opacity: float,
    turn: float,
) -> None:
    """Blend a fractal into `image`, in place: the denser its points in a pixel, the less shines through."""
    height, width = image.shape[:2]
    points, colours = system.points(int(np.clip(height * width / 2, 4_000, 120_000) * extent[1] ** 2), random)
    cells = _placed(points, height, width, random, extent=extent, turn=turn)
    inside = ((cells >= 0) & (cells < (height, width))).all(axis=1)
    where = cells[inside] @ np.array([width, 1])
    counts = np.bincount(where, minlength=height * width)
    hits = np.flatnonzero(counts)
    if not len(hits):
        return
    means = np.bincount(where, colours[inside], minlength=height * width)[hits] / counts[hits]
    density = counts[hits] / counts[hits].mean()
    cover = (opacity * (1 - np.exp(-2.5 * density)))[:, None]
    flat = image.reshape(-1, 3)
    colours = _colours(palette, means)
    colours += _contrast(colours.mean(0), flat[hits].mean(0))
    flat[hits] = (1 - cover) * flat[hits] + cover * np.clip(colours, 0, 255)


def _placed(
    points: Array, height: int, width: int, random: Generator, *, extent: tuple[float, float], turn: float
) -> NDArray[np.intp]:
    """The (row, column) of each point after a random affine map of the whole; some may lie outside of the image."""
    stretch = np.exp(random.uniform(-STRETCH, STRETCH))
    shear = np.array([[stretch, random.uniform(-SHEAR, SHEAR)], [0, 1 / stretch]])
    points = points @ (rotations(random.uniform(-turn, turn, 1))[0] @ shear).T
    low, high = points.min(0), points.max(0)
    sides = np.array([height, width])
    scale = random.uniform(*extent) * np.min(sides / np.maximum(high - low, 1e-9))
    slack = sides - scale * (high - low)
    corner = random.uniform(-0.1, 1.1, 2) * slack
    return np.floor((points - low) * scale + corner).astype(np.intp)


def _palette(random: Generator) -> Array:
    """A smooth path through colour space, (4, 3): middle, swing, turns and phase of each channel."""
    low = np.array([[60.0], [30.0], [0.3], [0.0]])
    high = np.array([[195.0], [110.0], [1.5], [2 * np.pi]])
    return random.uniform(low, high, (4, 3))


def _colours(palette: Array, positions: Array) -> Array:
    """Colours (n, 3) at positions in [0, 1] of a path."""
    middle, swing, turns, phase = palette
    return middle + swing * np.cos(2 * np.pi * positions[:, None] * turns + phase)


def _contrast(fractal: Array, behind: Array) -> float:
    """What is to be added to a fractal's colours, so that it is no more invisible than things are in photographs."""
    if np.abs(fractal - behind).max() > VISIBLE:
        return 0.0
    return VISIBLE if behind.mean() < 128 else -VISIBLE
