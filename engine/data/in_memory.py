"""Samples that are all in memory, and seen as they are."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from .dataset import Batch, Draw, Floats, Indices, Labels, Split


@dataclass(frozen=True, eq=False)
class InMemory(Split):
    """`images` of shape (samples, *sample shape), float32; `labels` (samples,), int64. Nothing about them is random."""

    images: Floats
    labels: Labels

    @property
    def shape(self) -> tuple[int, ...]:
        return self.images.shape[1:]

    def select(self, indices: Indices) -> "InMemory":
        """The samples at `indices` as a split of their own."""
        return InMemory(self.images[indices], self.labels[indices])

    def take(self, indices: Indices) -> Batch:
        return Batch(images=self.images[indices], labels=self.labels[indices], target=self.labels[indices])

    def stream(self, draws: Iterable[Draw], *, seed: int, device: str) -> AbstractContextManager[Iterator[Batch]]:
        return nullcontext(self.take(draw.indices) for draw in draws)

    def chunks(self, indices: Indices, size: int, *, device: str) -> AbstractContextManager[Iterator[Batch]]:
        return nullcontext(self.take(indices[start : start + size]) for start in range(0, len(indices), size))
