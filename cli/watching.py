"""Everybody who is told of an experiment as it runs: the screen, and what its folder keeps."""

import shlex
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from .display import Display
from .log import Log

if TYPE_CHECKING:
    from ..engine.training import OutputFolder, Prepared, Progress


@contextmanager
def watching(
    output: "OutputFolder", prepared: "Prepared", *, tensorboard: bool = False, processes: int = 1
) -> "Iterator[Progress]":
    """Write what explains the folder; then a display, a log and a journal that listen until all is over. `processes`:
    how many carry the experiment out together.
    """
    from ..engine.training import Together
    from ..engine.training.account import JOURNAL, LOG, write_account
    from ..engine.training.journal import Journal
    from ..engine.training.tensorboard import TensorBoard

    board = TensorBoard(output) if tensorboard else None
    write_account(output, prepared, command_line(), processes)
    with ExitStack() as stack:
        members: list[Progress] = [
            stack.enter_context(Display()),
            stack.enter_context(Log(output.file(LOG))),
            stack.enter_context(Journal(output.file(JOURNAL))),
        ]
        if board is not None:
            members.append(stack.enter_context(board))
        yield Together(*members)


def command_line() -> str:
    """What the user typed, as far as this process knows."""
    return shlex.join(["counterstream", *sys.argv[1:]])
