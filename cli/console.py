"""Where output goes: colors and live displays in a terminal, plain lines of any length in a pipe or a file."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

PLAIN_WIDTH = 120


def console(*, stderr: bool = False) -> "Console":
    """A console on stdout or stderr. Texts are printed as they are: no markup, no emoji codes, no guessed
    highlights.
    """
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PLAIN_WIDTH
    return Console(stderr=stderr, width=width, highlight=False, markup=False, emoji=False)
