"""What may not happen while a text is read: running code, writing, other programs, new modules, warnings, much time or
memory."""

import faulthandler
import os
import resource
import signal
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SECONDS = 2.0
"""Of processor time, for one input."""
_HOPELESS = 20
"""Seconds, those left out in which others had the processor, after which an input is given up by an exception."""
_DEAD = 900
"""Seconds after which the process ends, where no exception gets through."""
MEGABYTES = 400
"""By which one input may raise the most memory that the process ever had."""

_HARMLESS = {"sys._getframe", "object.__getattr__", "os.listdir", "os.scandir", "pathlib.Path.glob", "builtins.id"}


class Forbidden(BaseException):
    """Something happened that may not. A BaseException: no `except Exception` on the way can hide it."""


class _Watch:
    """The audit hook. Hooks cannot be taken off again, so there is one, which listens while it is told to."""

    def __init__(self) -> None:
        self.listening = False
        self.heard: list[str] = []
        sys.addaudithook(self.hear)

    def hear(self, event: str, details: tuple[Any, ...]) -> None:
        if not self.listening or event in _HARMLESS:
            return
        if event == "open" and not _writes(details):
            return
        if event == "compile" and _by_ast():  # a tree, no code
            return
        if event in ("os.putenv", "os.unsetenv") and details[0] == b"PYDANTIC_DISABLE_PLUGINS":  # typer's own
            return
        self.heard.append(f"{event}{_shown(details)}")


def _writes(details: tuple[Any, ...]) -> bool:
    """Whether an `open` event, (path, mode, flags), is for writing. Low-level opens have no mode."""
    _, mode, flags = details
    return bool(set(mode or "") & set("wax+")) or bool((flags or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


def _by_ast() -> bool:
    """Whether it is `ast.parse` that compiles, which makes a tree and no code."""
    frame: FrameType | None = sys._getframe(2)
    return frame is not None and frame.f_code.co_name == "parse" and frame.f_code.co_filename.endswith("ast.py")


def _shown(details: tuple[Any, ...]) -> str:
    text = repr(details)
    return text if len(text) < 200 else f"{text[:200]}..."


_watch: _Watch | None = None


class _Alarm:
    """Gives an input up. On a busy machine a process may wait for its turn for minutes: that is no hang."""

    def __init__(self) -> None:
        self.began = time.monotonic() - _queued()
        signal.signal(signal.SIGALRM, self.ring)
        signal.setitimer(signal.ITIMER_REAL, _HOPELESS)

    def ring(self, number: int, frame: FrameType | None) -> None:
        left = _HOPELESS - (time.monotonic() - _queued() - self.began)
        if left <= 0:
            raise Forbidden(f"a hang: no answer after {_HOPELESS} s")
        signal.setitimer(signal.ITIMER_REAL, left)


def _queued() -> float:
    """Seconds for which this process was ready and others ran."""
    with open("/proc/self/schedstat", encoding="ascii") as file:
        return int(file.read().split()[1]) / 1e9


@contextmanager
def watched(seconds: float = SECONDS) -> Iterator[None]:
    """Raise Forbidden where what runs inside executes, writes, imports, takes too long or too much memory."""
    global _watch  # noqa: PLW0603  # hooks are for the whole process
    _watch = _watch or _Watch()
    _watch.heard, before = [], _peak()
    _Alarm()
    faulthandler.dump_traceback_later(_DEAD, exit=True)
    began = time.process_time()
    _watch.listening = True
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            yield
    finally:
        _watch.listening = False
        took = time.process_time() - began
        signal.setitimer(signal.ITIMER_REAL, 0)
        faulthandler.cancel_dump_traceback_later()
    if warned:
        raise Forbidden(f"it warns, which a command prints: {warned[0].message}")
    if _watch.heard:
        raise Forbidden(f"it did what reading may not do: {', '.join(_watch.heard[:5])}")
    if took > seconds:
        raise Forbidden(f"it took {took:.1f} s of processor time; {seconds:g} s are allowed")
    if (grown := _peak() - before) > MEGABYTES:
        raise Forbidden(f"it took {grown:.0f} MB more memory than anything before; {MEGABYTES} MB are allowed")


def _peak() -> float:
    """The most memory that this process ever had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def limit_memory(gigabytes: float) -> None:
    """Let this process take so much address space above what it has: more ends in a MemoryError, not in swapping."""
    with open("/proc/self/statm", encoding="ascii") as file:
        pages = int(file.read().split()[0])
    most = pages * resource.getpagesize() + int(gigabytes * 2**30)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
