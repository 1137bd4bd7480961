"""One recording of a run of many ranks: rank 0 writes, and all of them hear of it when that fails."""

from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self

from .errors import RecordingError
from .recorder import Recorder

Agreement = Callable[[str], str]
"""Called by all ranks together; gives each of them what rank 0 said (a message, or nothing)."""


class SharedRecorder:
    """What every rank of a run holds in place of a recorder. Only rank 0 has one, and only its file exists.

    1. Every rank makes the same calls in the same order, as with every collective. What ranks other than 0 hand over is
       not looked at: they may leave arrays out.
    2. After each call the ranks exchange one message: where rank 0 failed, *all* of them raise its RecordingError. So
       none is left waiting in the collectives of the next step.
    3. A writing thread that fails between two calls is heard of at the next one, as with a recorder alone.
    4. Leaving the block by an error exchanges nothing: the others may never come to where this rank stands.
    """

    def __init__(self, recorder: Recorder | None, agree: Agreement | None = None) -> None:
        """`recorder`: on rank 0 one with all enrolled, None elsewhere. `agree` defaults to torch's process group."""
        self._recorder = recorder
        self._agree = agree or through_process_group

    def prepare(self, *, overwrite: bool = False) -> Self:
        """Makes the file, on rank 0."""
        self._together(lambda recorder: recorder.prepare(overwrite=overwrite))
        return self

    def resume(self, step: int | None = None) -> Self:
        """Takes the file up again, on rank 0."""
        self._together(lambda recorder: recorder.resume(step))
        return self

    def write(self, *, step: int, epoch: float, **given: Any) -> None:
        """As `Recorder.write`."""
        self._together(lambda recorder: recorder.write(step=step, epoch=epoch, **given))

    def result(self, name: str, value: float | int | str) -> None:
        """As `Recorder.result`."""
        self._together(lambda recorder: recorder.result(name, value))

    def mark(self) -> "Future[None]":
        """As `Recorder.mark` on rank 0, and done elsewhere. Nothing is exchanged."""
        if self._recorder is not None:
            return self._recorder.mark()
        passed: Future[None] = Future()
        passed.set_result(None)
        return passed

    def close(self) -> None:
        """Writes what is pending; every rank returns once it is in the file."""
        self._together(lambda recorder: recorder.close())

    def _together(self, act: Callable[[Recorder], Any]) -> None:
        error: Exception | None = None
        if self._recorder is not None:
            try:
                act(self._recorder)
            except Exception as caught:  # of any kind: the others wait for this rank's word
                error = caught
        said = self._agree(f"{error}" or type(error).__name__ if error else "")
        if error is not None:
            raise error
        if said:
            raise RecordingError(f"rank 0: {said}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        elif self._recorder is not None:
            self._recorder.__exit__(kind, error, trace)


def through_process_group(message: str) -> str:
    """Rank 0's message, over torch's default process group. Raises RanksError where rank 0 is gone."""
    from ..ranks import Ranks

    return str(Ranks().hear(message))
