"""Iterated function systems: one a class.

After FractalDB (Kataoka et al., "Pre-training without Natural Images", ACCV 2020): a class is one set of random affine
maps whose attractor fills enough of its frame, and an image of the class is a chaos game of these maps, varied. Here
the maps are drawn by their singular values (as Anderson and Farrell, "Improving Fractal Pre-training", WACV 2022, do),
so that all of them contract and no game diverges.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator, Philox
from numpy.typing import NDArray

Array = NDArray[np.float64]

MAPS = (2, 6)
LARGEST, SMALLEST = (0.45, 0.88), (0.25, 0.75)
"""Ranges of a map's larger singular value, and of the smaller one as a fraction of it."""
FILLING = (0.2, 0.55)
"""Which share of a GRID x GRID frame an attractor must touch: less is dust, more is a featureless blot."""
GRID = 48
WALKERS = 512
WARM_UP = (
    20  # steps until a walker is on the attractor, up to 0.88^20 of the frame: a few pixels at most, blurred anyway
)
SEARCH, HABITS = 1, 2  # streams of random numbers


@dataclass(frozen=True, eq=False)
class System:
    """Maps x -> A x + b: `matrices` (maps, 2, 2), `offsets` (maps, 2). A map is chosen in proportion to |det A|, so
    that points cover the attractor evenly.
    """

    matrices: Array
    offsets: Array
    habit: tuple[int, ...] = ()
    """The key of the random numbers behind the colours that its images tend to have."""

    @property
    def probabilities(self) -> Array:
        areas = np.maximum(np.abs(np.linalg.det(self.matrices)), 0.01)  # flat maps must be visited, too
        return areas / areas.sum()

    def points(self, number: int, random: Generator) -> tuple[Array, Array]:
        """About `number` points of the attractor, (points, 2), and for each a colour in [0, 1]: the history of its
        maps, the latest counting half, so that parts of the fractal differ in colour.
        """
        steps = WARM_UP + -(-number // WALKERS)
        edges = np.cumsum(self.probabilities)[:-1]
        chosen = np.searchsorted(edges, random.random((steps, WALKERS)))
        hues = np.arange(len(self.matrices)) / max(len(self.matrices) - 1, 1)
        (a, b), (c, d) = self.matrices.transpose(1, 2, 0)
        e, f = self.offsets.T
        x = y = np.zeros(WALKERS)
        colour = np.full(WALKERS, 0.5)
        track = np.empty((3, steps, WALKERS))
        for step, which in enumerate(chosen):
            x, y = a[which] * x + b[which] * y + e[which], c[which] * x + d[which] * y + f[which]
            colour = (colour + hues[which]) / 2
            track[:, step] = x, y, colour
        flat = track[:, WARM_UP:].reshape(3, -1)
        return flat[:2].T, flat[2]


def stream(*key: int) -> Generator:
    """Random numbers that are a function of `key` alone: the same in every process, however many there are."""
    return Generator(Philox(np.random.SeedSequence(key)))


def system_of_class(seed: int, label: int) -> System:
    """The system of one class: the first of its random systems that fills its frame."""
    random = stream(seed, SEARCH, label)
    while True:
        system = random_system(random)
        if FILLING[0] <= filling(system, random) <= FILLING[1]:
            return replace(system, habit=(seed, HABITS, label))


def random_system(random: Generator) -> System:
    """Any contracting system, whatever it looks like."""
    maps = int(random.integers(MAPS[0], MAPS[1] + 1))
    large = random.uniform(*LARGEST, maps)
    small = large * random.uniform(*SMALLEST, maps) * random.choice([-1, 1], maps)  # a negative one mirrors
    first, second = rotations(random.uniform(0, 2 * np.pi, maps)), rotations(random.uniform(0, 2 * np.pi, maps))
    scales = np.stack([large, small], axis=-1)[:, :, None]
    return System(first @ (scales * second), random.uniform(-1, 1, (maps, 2)))


def rotations(angles: Array) -> Array:
    """(n, 2, 2) rotations by (n,) angles."""
    cosine, sine = np.cos(angles), np.sin(angles)
    return np.stack([np.stack([cosine, -sine], -1), np.stack([sine, cosine], -1)], -2)


def filling(system: System, random: Generator) -> float:
    """Which share of the cells of its bounding frame the attractor touches."""
    points, _ = system.points(8 * GRID * GRID, random)
    low, high = points.min(0), points.max(0)
    cells = np.minimum((points - low) / np.maximum(high - low, 1e-9) * GRID, GRID - 1).astype(np.intp)
    touched = np.bincount(cells @ [GRID, 1], minlength=GRID * GRID) > 0
    return float(touched.mean())
