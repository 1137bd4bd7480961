"""`counterstream report`: recorded runs as one page that opens anywhere."""

import shlex
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .glance import in_folder

if TYPE_CHECKING:
    from ..analysis import Run
    from ..analysis.report import Portrait

GENERATOR = b'<meta name="generator" content="Counterstream">'
SUFFIXES = (".html", ".htm")


def report(
    recordings: Annotated[
        list[Path], typer.Argument(metavar="RUN.h5...", help="Recordings, or folders: all recordings in them.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The page. An earlier report there is replaced.")
    ] = Path("report.html"),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is no report, too.")] = False,
) -> None:
    """Write a page on recorded runs: what was done, tables, figures, drawings of the circuits, and what all that shows
    and does not. It needs no network and no server, and can be sent around as one file.

    \b
    Example:
      counterstream report runs/demo -o report.html
    """
    from ..analysis import Run
    from ..analysis.report import page

    _check(output, overwrite)
    paths = recordings_in(recordings)
    with ExitStack() as opened:
        runs = [opened.enter_context(Run.open(path)) for path in paths]
        text = page(runs, _portraits(runs))
    _write(output, text)
    size = f"{len(text.encode()) / 1e3:,.0f} kB"
    print(f"Written to {output} ({len(runs)} run{'s' if len(runs) != 1 else ''}, {size}): open it in a browser.")


def recordings_in(paths: Iterable[Path]) -> list[Path]:
    """The recordings meant: files as they are, folders as all .h5 files in them; each once."""
    from ..circuits.errors import CounterstreamError

    found: dict[Path, Path] = {}
    for path in paths:
        held = in_folder(path) if path.is_dir() else [path]
        if not held:
            raise CounterstreamError(f"{path}: the folder must hold recordings, *.h5 (it holds none)")
        found |= {member.resolve(): member for member in held if member.resolve() not in found}
    return list(found.values())


def _portraits(runs: "Sequence[Run]") -> "dict[str, Portrait]":
    return {circuit: _portrait(circuit) for circuit in dict.fromkeys(run.circuit for run in runs)}


def _portrait(text: str) -> "Portrait":
    """The recorded circuit, drawn and judged anew. One that today's language does not read is reported as it stands."""
    from ..analysis.report import Portrait
    from ..circuits.declarations import Circuit
    from ..circuits.drawing import as_svg, picture
    from ..circuits.errors import CounterstreamError
    from ..circuits.locality import prove
    from ..circuits.validation import build
    from ..circuits.yamlfile import read
    from .check import departures

    try:
        circuit = build(Circuit, read(text, "the recorded circuit"))  # explicit: it names no other file
        judged = prove(circuit)
        return Portrait(
            drawing=as_svg(picture(circuit)),
            transports_weights=judged.transports_weights,
            departures=[f"{message} ({count} x)" for message, count in departures(judged).items()],
        )
    except CounterstreamError as error:
        first = str(error).partition("\n")[0]
        return Portrait(problem=f"The recorded circuit could be neither drawn nor judged: {first}")


def _check(output: Path, overwrite: bool) -> None:
    """Refuse, before anything is read, to write over what is no report."""
    from ..circuits.errors import CounterstreamError

    if output.suffix.lower() not in SUFFIXES:
        raise CounterstreamError(f"{output}: a report's name must end in .html (got {output.suffix!r})")
    if output.is_dir():
        raise CounterstreamError(f"{output}: must be a file (got a folder). For example: -o {output / 'report.html'}")
    if output.exists() and not overwrite and not _is_report(output):
        raise CounterstreamError(f"{output}: this file is no report. Choose another name with -o, or say --overwrite")


def _is_report(path: Path) -> bool:
    with path.open("rb") as file:
        return GENERATOR in file.read(4096)


def _write(path: Path, text: str) -> None:
    """Write the page whole or not at all: a reader never sees half of one."""
    from ..circuits.errors import CounterstreamError

    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise CounterstreamError(f"{path}: the report cannot be written ({error.strerror})") from None


def next_step(folder: Path) -> str:
    """The line that names this command for the recordings in a folder."""
    return f"counterstream report {shlex.quote(str(folder))} -o report.html"
