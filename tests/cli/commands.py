"""Running the command line as a user does: in a process of its own, output in pipes."""

import subprocess
import sys
from pathlib import Path


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
