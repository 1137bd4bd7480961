"""The log of an experiment, in its folder: what the screen says, with the time of day, and how it ended."""

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from ..circuits.errors import CounterstreamError
from .lines import Lines


class Log(Lines):
    """Appends to a file, line by line. A context manager: an error that ends it is its last line."""

    def __init__(self, path: Path) -> None:
        """Raises CounterstreamError where the file cannot be written."""
        self._path = path
        super().__init__(self._stamped)
        try:
            self._file = path.open("a", encoding="utf-8", buffering=1)  # lines: one can watch it grow
        except OSError as error:
            raise CounterstreamError(f"{path}: cannot be written ({error.strerror})") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(CounterstreamError):  # the run is over, and what ended it is said elsewhere, too
            self._stamped("ended" if error is None else f"{type(error).__name__}: {error}")
        with suppress(OSError):
            self._file.close()

    def _stamped(self, line: str) -> None:
        now = datetime.now(UTC).isoformat(sep=" ", timespec="seconds")
        try:
            self._file.write(f"{now}  {line}\n")
        except OSError as error:
            from ..engine.training.output import unwritable

            raise CounterstreamError(unwritable(self._path, error)) from None
