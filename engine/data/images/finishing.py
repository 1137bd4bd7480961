"""The last part of the way, on the device, a batch at a time: mirrored, made real numbers, normalized, mixed."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from ..dataset import Batch
from .reading import Pictures, Read

Triple = tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Finishing:
    """From bytes (samples, height, width, 3) to images (samples, 3, height, width), float32, channels-last in memory:
    (x / 255 - mean) / deviation for each channel. `labels` are those of all samples of the split.

    Where labels are smoothed or images mixed, the target is rates (samples, classes):
    (1 - smoothing) (share one-hot + (1 - share) one-hot of the partner) + smoothing / classes.
    """

    device: torch.device
    mean: Triple
    deviation: Triple
    labels: NDArray[np.int64]
    classes: int
    smoothing: float = 0.0

    def __call__(self, read: Read) -> Batch:
        images, labels = self._images(read.pictures), self._labels(read.pictures)
        if read.partners is None or read.shares is None:
            target = self._smoothed(self._codes(labels)) if self.smoothing else labels
            return Batch(images=images, labels=labels, target=target)
        shares = read.shares.to(self.device, non_blocking=True)[:, None]
        whole = shares[:, :, None, None]
        mixed = images.mul_(whole).add_(self._images(read.partners).mul_(1 - whole))
        codes = shares * self._codes(labels) + (1 - shares) * self._codes(self._labels(read.partners))
        return Batch(images=mixed, labels=labels, target=self._smoothed(codes))

    def _images(self, pictures: Pictures) -> torch.Tensor:
        pixels = pictures.pixels.to(self.device, non_blocking=True)
        mirrored = pictures.mirrored.to(self.device, non_blocking=True)
        pixels = torch.where(mirrored[:, None, None, None], pixels.flip(2), pixels)
        scale, shift = self._scale_and_shift
        return pixels.to(torch.float32).mul_(scale).sub_(shift).permute(0, 3, 1, 2)

    @cached_property
    def _scale_and_shift(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Made once: to send numbers to a device, a process waits for it."""
        mean, deviation = (torch.tensor(triple, device=self.device) for triple in (self.mean, self.deviation))
        return 1 / (255 * deviation), mean / deviation

    def _labels(self, pictures: Pictures) -> NDArray[np.int64]:
        return self.labels[pictures.samples.numpy()]

    def _codes(self, labels: NDArray[np.int64]) -> torch.Tensor:
        codes = torch.zeros((len(labels), self.classes), device=self.device)
        return codes.scatter_(1, torch.as_tensor(labels, device=self.device)[:, None], 1.0)

    def _smoothed(self, codes: torch.Tensor) -> torch.Tensor:
        return codes.mul_(1 - self.smoothing).add_(self.smoothing / self.classes)
