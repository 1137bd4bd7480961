"""Work on many things by several processes, results in the order of the things."""

import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context
from typing import TypeVar

from .dataset import DataError
from .parent import end_with_the_parent

Task = TypeVar("Task")
Result = TypeVar("Result")

AHEAD = 4  # tasks for each process that are begun before their turn: what waits to be taken stays small


def in_order(work: Callable[[Task], Result], tasks: Iterable[Task], workers: int) -> Iterator[Result]:
    """`work` of each task, in order; with one worker in this process. Both must be picklable.

    Raises DataError where one of the processes dies.
    """
    if workers == 1:
        yield from map(work, tasks)
        return
    # Fresh interpreters: a fork of one that has threads (a progress display) may lock up.
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=_begin) as pool:
        coming = iter(tasks)
        pending: deque[Future[Result]] = deque(pool.submit(work, task) for task in islice(coming, AHEAD * workers))
        try:
            while pending:
                done = pending.popleft().result()
                pending.extend(pool.submit(work, task) for task in islice(coming, 1))
                yield done
        except BrokenProcessPool:
            raise DataError(
                "a process that shared the work died, of too little memory, maybe. Use fewer --workers"
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """Ctrl-C goes to every process of a terminal; the one that waits for the others stops them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_the_parent()
