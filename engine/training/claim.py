"""One process at a time writes into a folder: a lock that the system takes back, however its holder ends."""

import os
from pathlib import Path

from .errors import ExperimentError

try:
    import fcntl
except ImportError:  # systems without such locks do without
    fcntl = None  # type: ignore[assignment]

NAME = ".counterstream.lock"
_held: dict[Path, int] = {}  # open as long as the process lives: closing any descriptor of a file gives its lock back


def claim(folder: Path) -> None:
    """Hold a folder for this process, until it ends. Raises ExperimentError where another process holds it.

    Such a process may be one that a scheduler gave up but did not end. File systems without locks are trusted.
    """
    path = (folder / NAME).absolute()
    if fcntl is None or path in _held:
        return
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise ExperimentError(f"{folder}: the output folder cannot be written ({error.strerror})") from None
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        os.close(descriptor)
        raise ExperimentError(
            f"{folder}: no other process may be writing into the output folder (one is). Wait for it, end it, or "
            "choose another --output"
        ) from None
    except OSError:  # no locks here
        pass
    _held[path] = descriptor
