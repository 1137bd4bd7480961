"""Worker processes that prepare batches ahead, in order."""

import multiprocessing
import signal
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager, closing
from copy import copy
from dataclasses import dataclass
from multiprocessing import forkserver, resource_tracker
from typing import Any, Generic, TypeVar

import torch
from torch.utils.data import DataLoader

from ..dataset import DataError
from ..parent import end_with_the_parent
from .reading import Read

Asked = TypeVar("Asked")

AHEAD = 2  # batches that each worker prepares before they are asked for
METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
"""How workers start. Not by `fork`: this process has threads (a recorder, a display), whose locks are inherited so."""

PATIENCE = 5.0
"""Seconds that a worker has to end by itself where nobody else says how many."""

LOST = (RuntimeError, ConnectionError, EOFError, FileNotFoundError)
"""What torch raises where a worker is gone, depending on what it was about to hand over."""


@dataclass(frozen=True)
class Loading(Generic[Asked]):
    """Reads what is asked for with `read`, in `workers` processes; with none, in this one and not ahead."""

    read: Callable[[Asked], Read]
    workers: int
    pinned: bool

    def __call__(self, asked: Iterable[Asked]) -> AbstractContextManager[Iterator[Read]]:
        """What was asked for, in order. Leaving the context ends the workers: one that does not end by itself, for it
        waits for a disk or a network, is killed after some seconds.
        """
        return closing(self._batches(asked))

    def _batches(self, asked: Iterable[Asked]) -> Generator[Read, None, None]:
        try:
            yield from self._begun(asked)
        except LOST as error:
            if isinstance(error, RuntimeError) and "DataLoader worker" not in str(error):
                raise
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise DataError(
                f"data: a process that reads images must live on while it is needed ({reason}). It was killed, perhaps "
                "for want of memory or of shared memory (/dev/shm): take fewer `workers` or smaller batches"
            ) from error

    def _begun(self, asked: Iterable[Asked]) -> Iterator[Read]:
        settings: dict[str, Any] = {"num_workers": self.workers, "pin_memory": self.pinned, "collate_fn": _as_it_is}
        settings["generator"] = torch.Generator()  # of seeds that no worker uses; without it torch's own would move on
        if self.workers:
            settings |= {"prefetch_factor": AHEAD, "worker_init_fn": _begin, "multiprocessing_context": _context()}
        with warnings.catch_warnings():  # whoever asks for more workers than cores may have them
            warnings.filterwarnings("ignore", message="This DataLoader will create")
            # Each thing asked for is a whole batch, so the loader puts nothing together (`batch_size=None`).
            loader: Any = DataLoader(_Asking(self.read), batch_size=None, sampler=asked, **settings)  # type: ignore[arg-type]
            return iter(loader)


class _Asking(Generic[Asked]):
    """What DataLoader calls a data set: something to be indexed."""

    def __init__(self, read: Callable[[Asked], Read]) -> None:
        self._read = read

    def __getitem__(self, asked: Asked) -> Read:
        return self._read(asked)


def _as_it_is(read: Read) -> Read:
    return read


def _begin(_: int) -> None:
    """Ctrl-C, and the end of a job's time, reach every process. The one that trains decides, and ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})  # the fork server's, which a worker inherits
    end_with_the_parent()


class _Mortal(multiprocessing.get_context(METHOD).Process):  # type: ignore[misc] # which class it is, the system says
    """A process that ignores SIGTERM, and ends all the same where the loader, or the interpreter's exit, ends it."""

    def terminate(self) -> None:
        self.kill()

    def join(self, timeout: float | None = None) -> None:
        super().join(PATIENCE if timeout is None else timeout)
        if timeout is None and self.is_alive():
            self.kill()
            super().join(PATIENCE)


def _context() -> Any:
    context: Any = copy(multiprocessing.get_context(METHOD))
    context.Process = _Mortal
    if METHOD == "forkserver":  # what is loaded once need not be loaded by every worker
        context.set_forkserver_preload(["__main__", __name__])
        _start_server()
    return context


def _start_server() -> None:
    """Start the fork server, if it does not run, so that SIGTERM does not end it: a batch system sends that to every
    process of a job, and a run that still has to stop in good order needs its workers. It ends with this process.
    """
    resource_tracker.ensure_running()  # would be started on the way, and lift the mask
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # what is started now begins with it blocked
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
