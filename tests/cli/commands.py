"""Running the command line as a user does: in a process of its own, output in pipes."""

import io
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

from counterstream.cli import main


def counterstream(*arguments: object, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """`counterstream ARGUMENTS` in `folder`."""
    return subprocess.run(
        [sys.executable, "-m", "counterstream", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=folder,
    )


def here(*arguments: object) -> subprocess.CompletedProcess[str]:
    """`counterstream ARGUMENTS` in this process, without the seconds that another one takes to begin.

    For commands that are refused before they change anything in the process.
    """
    given = ["counterstream", *map(str, arguments)]
    code, said, complained = 0, io.StringIO(), io.StringIO()
    with patch.object(sys, "argv", given), redirect_stdout(said), redirect_stderr(complained):
        try:
            main()
        except SystemExit as left:
            code = left.code if isinstance(left.code, int) else int(left.code is not None)
    return subprocess.CompletedProcess(given, code, said.getvalue(), complained.getvalue())
