"""`counterstream validate`: does a file keep what the format promises?"""

from pathlib import Path
from typing import Annotated

import typer

WRONG = 2
CHILD_SECONDS = 600


def validate(
    recording: Annotated[Path, typer.Argument(metavar="RUN.h5", help="A recording, finished or still growing.")],
) -> None:
    """Check a recording against docs/hdf5-format.md and name everything that is wrong. Exit code 0, or 2.

    The check runs in a process of its own: what would crash or hang the HDF5 library is reported as well.

    \b
    Example:
      counterstream validate runs/demo/kolen_pollack-seed0.h5
    """
    from ..analysis.isolation import isolated_validation
    from ..analysis.printable import printable

    problems = isolated_validation(recording, seconds=CHILD_SECONDS)
    for problem in problems:
        print(printable(problem))
    if problems:
        count = f"{len(problems)} things are" if len(problems) > 1 else "1 thing is"
        print(f"{recording}: {count} not as the format says")
        raise typer.Exit(WRONG)
    print(f"{recording}: a valid recording")
