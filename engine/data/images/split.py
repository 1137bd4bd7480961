"""A split of images in files."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..dataset import Batch, DataError, Draw, Indices, Labels, Split
from .source import Policy, Source
from .variation import Varying
from .views import View

if TYPE_CHECKING:
    from .reading import Read, Reader

Asked = TypeVar("Asked")
Triple = tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Look:
    """How images are looked at, whatever the split; and by how many worker processes."""

    view: View
    varying: Varying
    mean: Triple
    deviation: Triple
    smoothing: float
    policy: Policy
    workers: int


@dataclass(frozen=True, eq=False)
class Images(Split):
    """The images of `source` at `positions`, or all of them. Nothing but names is read before batches are wanted."""

    source: Source
    classes: int
    look: Look
    advice: str
    """What to do about bad files."""
    positions: NDArray[np.int32] | None = None
    _skipped: dict[str, str] = field(default_factory=dict)

    @cached_property
    def labels(self) -> Labels:  # type: ignore[override] # made when first wanted
        every = self.source.labels
        return np.asarray(every if self.positions is None else every[self.positions], np.int64)

    @property
    def shape(self) -> tuple[int, ...]:
        return 3, self.look.view.size, self.look.view.size

    @property
    def rates(self) -> bool:
        return self.look.smoothing > 0 or self.look.varying.mixup > 0

    @property
    def skipped(self) -> Mapping[str, str] | None:
        return self._skipped if self.look.policy == "skip" else None

    def select(self, samples: Indices) -> "Images":
        """Those samples as a split of their own."""
        positions = samples if self.positions is None else self.positions[samples]
        return Images(self.source, self.classes, self.look, self.advice, np.asarray(positions, np.int32))

    def take(self, indices: Indices) -> Batch:
        read = partial(self._reader.evaluated, policy=self.look.policy)
        with self._batches(read, [indices], 0, "cpu") as found:
            return next(found)

    def stream(self, draws: Iterable[Draw], *, seed: int, device: str) -> AbstractContextManager[Iterator[Batch]]:
        read = partial(self._reader.trained, seed)
        return self._batches(read, draws, self.look.workers, device, self.look.smoothing)

    def chunks(self, indices: Indices, size: int, *, device: str) -> AbstractContextManager[Iterator[Batch]]:
        asked = [indices[start : start + size] for start in range(0, len(indices), size)]
        return self._batches(self._reader.evaluated, asked, min(self.look.workers, len(asked)), device)

    @property
    def _reader(self) -> "Reader":
        from .reading import Reader

        look = self.look
        return Reader(
            source=self.source, positions=self.positions, view=look.view, varying=look.varying, policy=look.policy
        )

    @contextmanager
    def _batches(
        self, read: "Callable[[Asked], Read]", asked: Iterable[Asked], workers: int, device: str, smoothing: float = 0.0
    ) -> Iterator[Iterator[Batch]]:
        from ...backends.torch.engine import torch_device
        from .finishing import Finishing
        from .loading import Loading

        where = torch_device(device)
        finishing = Finishing(
            device=where,
            mean=self.look.mean,
            deviation=self.look.deviation,
            labels=self.labels,
            classes=self.classes,
            smoothing=smoothing,
        )
        with Loading(read, workers, pinned=where.type == "cuda")(asked) as found:
            yield (finishing(self._noted(one)) for one in found)

    def _noted(self, read: "Read") -> "Read":
        """Raises DataError where nothing could be read; remembers what was skipped."""
        if read.failed:
            raise DataError(f"{read.failed}. {self.advice}")
        self._skipped.update((one.name, one.reason) for one in read.skipped)
        return read
