"""The processes that share one model: who this one is among them, and what it exchanges with the others."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from .backends.base import Engine
from .errors import RanksError

BUCKET = 25 * 2**20
"""Large enough that what a collective costs by itself does not count, small enough that most of a step's drives are on
their way before the step ends: the bytes that torch's DistributedDataParallel takes, for the same reasons."""


@dataclass(frozen=True, kw_only=True)
class Share:
    """The samples from `first` on of a batch of `whole`: those of one rank."""

    first: int
    samples: int
    whole: int

    @property
    def rows(self) -> slice:
        return slice(self.first, self.first + self.samples)

    @classmethod
    def all_of(cls, samples: int) -> "Share":
        """The share of a process that is alone."""
        return cls(first=0, samples=samples, whole=samples)


NOBODY = Share.all_of(0)
"""The share of a step that has no batch."""


class Ranks:
    """This process among those of a process group of torch.distributed, which must have been initialised.

    A simulator that was compiled for ranks is handed this rank's share of each batch and learns from all of it:

    1. Every rank makes the same calls in the same order, as with every collective. What a step exchanges is exchanged
       by all ranks, or all wait until the process group's timeout.
    2. Shares of a batch may differ in size: every sample counts once.
    3. The whole batch is the shares one after the other, rank 0's first. So N ranks draw what one process would.
    4. When a rank ends, Gloo tells the others within seconds and their calls raise RanksError; NCCL leaves it to
       torchrun, or to the process group's timeout.

    With `synchronise`, batch normalization takes its statistics over all shares, in the forward pass and on the way
    back, at the price of a few small collectives for each normalizing population. Otherwise each rank normalizes its
    share by itself.
    """

    def __init__(self, group: Any = None, *, synchronise: bool = False, bucket: int = BUCKET) -> None:
        """`group`: a torch.distributed process group, by default the one of all processes. `bucket`: of engines that
        can send while they compute, how many bytes travel at once.
        """
        from torch import distributed

        if not (distributed.is_available() and distributed.is_initialized()):
            raise RanksError(
                "ranks need a process group (got none): call torch.distributed.init_process_group first, "
                "and start the processes with torchrun"
            )
        self._group = group
        self._distributed = distributed
        self.rank: int = distributed.get_rank(group)
        self.size: int = distributed.get_world_size(group)
        self.synchronise = synchronise
        self.bucket = bucket
        self._source = 0 if group is None else distributed.get_global_rank(group, 0)
        if self.rank < 0:
            raise RanksError("this process must be one of the group's (got one without it). Give its own group")

    def sum(self, value: Any) -> Any:
        """The sum of a value over all ranks, a NumPy array or a tensor as it came, on its device. The value stays as it
        is. The sum is the same on all ranks, to the last bit. Raises RanksError where another rank cannot be reached.
        """
        import torch

        if isinstance(value, np.ndarray):
            return self.add_up(torch.tensor(value)).numpy()
        return self.add_up(value.clone(memory_format=torch.contiguous_format))

    def add_up(self, tensor: Any) -> Any:
        """As `sum`, in the tensor's own memory, which must be contiguous."""
        with self._reached():
            self._distributed.all_reduce(tensor, group=self._group)
        return tensor

    def first(self, value: Any) -> Any:
        """Rank 0's value on every rank, arrays as `sum` takes them; the value stays as it is."""
        import torch

        if isinstance(value, np.ndarray):
            return self.first(torch.tensor(value)).numpy()
        told = value.clone(memory_format=torch.contiguous_format)
        with self._reached():
            self._distributed.broadcast(told, src=self._source, group=self._group)
        return told

    def begin_adding_up(self, tensor: Any) -> Callable[[], None]:
        """As `add_up`, but returns at once; calling what it gave waits until the tensor holds the sum."""
        with self._reached():
            work = self._distributed.all_reduce(tensor, group=self._group, async_op=True)

        def arrived() -> None:
            with self._reached():
                work.wait()

        return arrived

    def share(self, samples: int, engine: Engine[Any]) -> "Share":
        """Where this rank's samples stand in the whole batch. The ranks exchange their numbers."""
        counts = np.zeros(self.size, np.int64)
        counts[self.rank] = samples
        known = engine.numpy(self.sum(engine.array(counts, "int")))
        return Share(first=int(known[: self.rank].sum()), samples=samples, whole=int(known.sum()))

    def hear(self, said: Any) -> Any:
        """What rank 0 says, on every rank; what others hand in is not looked at. Picklable things only."""
        words = [said]
        with self._reached():
            self._distributed.broadcast_object_list(words, src=self._source, group=self._group)
        return words[0]

    def compare(self, held: Mapping[str, object]) -> None:
        """Raises RanksError, on every rank, unless all hold the same under each name. Small picklable things only."""
        everyone: list[Any] = [None] * self.size
        with self._reached():
            self._distributed.all_gather_object(everyone, dict(held), group=self._group)
        names = dict.fromkeys(name for other in everyone for name in other)
        different = [name for name in names if any(o.get(name) != everyone[0].get(name) for o in everyone)]
        if different:
            others = [rank for rank, other in enumerate(everyone) if other != everyone[0]]
            more = f" and {len(different) - 3} more" if len(different) > 3 else ""
            raise RanksError(
                f"ranks must hold the same (got another {', '.join(different[:3])}{more} on rank "
                f"{', '.join(map(str, others))} than on rank 0). Give all ranks one circuit, one seed, one "
                "consolidation and one state, and the same calls in the same order"
            )

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            raise RanksError(
                f"rank {self.rank} of {self.size} could not reach the others: one ended, or did not come within the "
                f"process group's timeout ({str(error).strip().splitlines()[0]}). Its own error says why"
            ) from error
