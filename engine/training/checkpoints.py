"""The checkpoints of one run: a thread writes them, the last few and the best stay, the newest is found again."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..simulator import Simulator
from .checkpoint import Checkpoint, load, save
from .errors import CheckpointError
from .identity import Identity, differences

PATTERN = re.compile(r"step-(\d{9,})\.pt")
BEST = "best.pt"
FILES = "*.pt*"
"""All that stands in a folder of checkpoints, those on their way included."""


class Checkpoints:
    """A folder of files step-000000120.pt, and beside them best.pt, a link to one of them.

    1. `save` copies the state into memory that is allocated once, and returns; a thread writes it. If the one before
       is still being written, it waits.
    2. A file appears only when it is whole and on the disk, and when all records of its run up to there are in the
       recording: `confirmed` says so. Files that are no longer to be kept go after that.
    3. What went wrong in the thread is raised by the next `save` or `finish`; `failed` says that there is something.
    """

    def __init__(self, folder: Path, identity: Identity, *, keep: int) -> None:
        self.folder, self.identity, self._keep = folder, identity, keep
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="counterstream checkpoints")
        self._writing: Future[None] | None = None
        self._memory: dict[str, NDArray[Any]] = {}

    # ---- writing

    def prepare(self) -> None:
        """Make the folder. Raises CheckpointError where that cannot be done."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CheckpointError(
                f"{self.folder}: the folder of checkpoints cannot be made ({error.strerror})"
            ) from error

    def save(
        self, sim: Simulator, step: int, progress: Mapping[str, Any], confirmed: "Future[None]", best: int | None
    ) -> None:
        """Save the simulator's state after `step` steps. `best`: of which step the state is the best so far, if any."""
        self.finish()
        checkpoint = Checkpoint(step=step, identity=self.identity, progress=progress, state=self._copied(sim))
        self._writing = self._thread.submit(self._write, checkpoint, confirmed, best)

    @property
    def failed(self) -> bool:
        """Whether what was saved last is known not to be written."""
        return self._writing is not None and self._writing.done() and self._writing.exception() is not None

    def finish(self) -> None:
        """Wait until what was saved is written."""
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.result()

    def _copied(self, sim: Simulator) -> dict[str, NDArray[Any]]:
        for name in sim.compiled.states:
            shown = sim.show_state(name)
            if name not in self._memory:
                self._memory[name] = np.empty(shown.shape, shown.dtype)
            np.copyto(self._memory[name], shown)
        return self._memory | {f"steps/{mode}": np.asarray(count) for mode, count in sim.steps.items()}

    def _write(self, checkpoint: Checkpoint, confirmed: "Future[None]", best: int | None) -> None:
        confirmed.result()
        save(checkpoint, self._path(checkpoint.step))
        if best is not None and self._path(best).exists():
            self._link(self._path(best))
        steps = sorted(step for step in self._steps() if step <= checkpoint.step)
        kept = {*steps[-self._keep :], best}  # a later one was damaged, or this run would have gone on from it
        for step in list(self._steps()):
            if step not in kept:
                self._path(step).unlink(missing_ok=True)

    def _link(self, best: Path) -> None:
        link, partial = self.folder / BEST, self.folder / f".{BEST}.tmp"
        with suppress(OSError):  # a name for people: not all file systems have links
            partial.unlink(missing_ok=True)
            partial.symlink_to(best.name)
            os.replace(partial, link)

    # ---- finding

    @property
    def exist(self) -> bool:
        """Whether there is any."""
        return any(True for _ in self._steps())

    def newest(self, noted: Callable[[str], None]) -> Checkpoint | None:
        """The latest checkpoint that can be read. `noted` is told of those that cannot.

        Raises CheckpointError where it is of another run.
        """
        for step in sorted(self._steps(), reverse=True):
            try:
                found = load(self._path(step))
            except CheckpointError as error:
                noted(f"{error}. Taking the one before it, if there is any")
                continue
            if different := differences(found.identity, self.identity):
                raise CheckpointError(
                    f"{self._path(step)}: the checkpoint is of another run and is left as it is: it has "
                    f"{', '.join(different)}. Take up what was begun, or choose another --output"
                )
            return found
        return None

    def _steps(self) -> Iterator[int]:
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            if found := PATTERN.fullmatch(path.name):
                yield int(found[1])

    def _path(self, step: int) -> Path:
        return self.folder / f"step-{step:09}.pt"
