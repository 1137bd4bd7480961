"""What a worker process does: batches of samples read, decoded and cut. Only bytes leave it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ..dataset import Draw, Indices
from .decoding import BadImage
from .source import Policy, Source
from .variation import Cut, Varying
from .views import Opened, Pixels, View

IN_A_ROW = 100
"""How many bad files one after the other are too many."""


class Skipped(NamedTuple):
    """A bad file, and what was read in its place."""

    name: str
    reason: str
    instead: str


class Pictures(NamedTuple):
    """Images of a batch: `pixels` (samples, height, width, 3), uint8; which are to be mirrored; which samples of the
    split they really are.
    """

    pixels: torch.Tensor
    mirrored: torch.Tensor
    samples: torch.Tensor


class Read(NamedTuple):
    """A batch as it comes from a worker: the images, and with mixup their partners and how much each image counts."""

    pictures: Pictures
    partners: Pictures | None
    shares: torch.Tensor | None
    skipped: list[Skipped]
    failed: str = ""
    """Why there is nothing else. An exception would bring its traceback along."""


class Unreadable(Exception):
    """A file that may not be skipped, or too many that may."""


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Reads samples of `source`, those at `positions` of it, or all. What it holds is handed to each worker."""

    source: Source
    positions: NDArray[np.int32] | None
    view: View
    varying: Varying
    policy: Policy

    def __len__(self) -> int:
        return len(self.source.labels) if self.positions is None else len(self.positions)

    def evaluated(self, samples: Indices, policy: Policy = "error") -> Read:
        """Samples as they are evaluated. A bad file is an error where a split is measured: to leave it out would change
        what is measured.
        """
        skipped: list[Skipped] = []
        try:
            pictures = self._pictures(samples, lambda _, image: self.view.evaluated(image), skipped, policy)
        except Unreadable as error:
            return _failure(error)
        return Read(pictures, None, None, skipped)

    def trained(self, seed: int, draw: Draw) -> Read:
        """Samples as they are trained on. In the place of a bad file comes the next good one of the split, cut as the
        bad one would have been: all other samples, and the batch's size, stay as they are.
        """
        variations = [self.varying.of(seed, draw.epoch, int(sample), len(self)) for sample in draw.indices]
        skipped: list[Skipped] = []
        try:
            pictures = self._cut(draw.indices, [variation.cut for variation in variations], skipped)
            if not self.varying.mixup:
                return Read(pictures, None, None, skipped)
            others = np.array([variation.partner for variation in variations], np.intp)
            partners = self._cut(others, [variation.other for variation in variations if variation.other], skipped)
        except Unreadable as error:
            return _failure(error)
        shares = torch.tensor([variation.share for variation in variations], dtype=torch.float32)
        return Read(pictures, partners, shares, skipped)

    def _cut(self, samples: Indices, cuts: Sequence[Cut], skipped: list[Skipped]) -> Pictures:
        pictures = self._pictures(
            samples,
            lambda place, image: self.view.trained(image, cuts[place], self.varying),
            skipped,
            self.policy,
        )
        return pictures._replace(mirrored=torch.tensor([cut.flip for cut in cuts], dtype=torch.bool))

    def _pictures(
        self, samples: Indices, seen: Callable[[int, Opened], Pixels], skipped: list[Skipped], policy: Policy
    ) -> Pictures:
        side = self.view.size
        pixels = torch.empty((len(samples), side, side, 3), dtype=torch.uint8)
        really = torch.empty(len(samples), dtype=torch.int64)
        into = pixels.numpy()
        for place, sample in enumerate(samples):
            into[place], really[place] = self._one(int(sample), partial(seen, place), skipped, policy)
        return Pictures(pixels, torch.zeros(len(samples), dtype=torch.bool), really)

    def _one(
        self, sample: int, seen: Callable[[Opened], Pixels], skipped: list[Skipped], policy: Policy
    ) -> tuple[Pixels, int]:
        """What is seen of a sample, or of the next good one; and which it is."""
        bad: list[tuple[str, str]] = []
        for candidate in range(sample, sample + (min(IN_A_ROW, len(self)) if policy == "skip" else 1)):
            position = self._position(candidate % len(self))
            try:
                pixels = seen(self.source.open(position))
            except BadImage as error:
                bad.append((self.source.name(position), str(error)))
            else:
                skipped += [Skipped(name, reason, self.source.name(position)) for name, reason in bad]
                return pixels, candidate % len(self)
        name, reason = bad[0]
        more = f", nor the {len(bad) - 1} after it" if len(bad) > 1 else ""
        raise Unreadable(f"{name}: must be an image that can be decoded{more} ({reason})")

    def _position(self, sample: int) -> int:
        return sample if self.positions is None else int(self.positions[sample])


def _failure(error: Unreadable) -> Read:
    nothing = torch.empty(0)
    return Read(Pictures(nothing, nothing, nothing), None, None, [], str(error))
