"""`counterstream table`: finished runs as the table of a paper, what others reported beside."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ..analysis.error_table import ErrorTable

STDOUT = "-"


def table(
    recordings: Annotated[
        list[Path], typer.Argument(metavar="RUNS...", help="Recordings, or folders: all recordings in them.")
    ],
    markdown: Annotated[
        Path | None, typer.Option("--markdown", metavar="FILE", help="Write the table and its notes there, too.")
    ] = None,
    csv: Annotated[
        str | None, typer.Option("--csv", metavar="FILE", help="Write one line a figure there; - prints it.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
    top5: Annotated[bool, typer.Option("--top5", help="Top-5 errors, of which nobody's are known beside.")] = False,
) -> None:
    """Print top-1 test errors, networks by learning systems, with the seeds' spread and what others reported.

    Runs stand in one row where network, data and settings are the same; other rows are named by what sets them apart.
    Runs that are not finished are left out, and named.

    \b
    Examples:
      counterstream table runs/demo
      counterstream table runs/resnet18 runs/resnet50 --markdown table.md --csv table.csv
    """
    from ..analysis import Run
    from ..analysis import error_table as tables
    from .html_report import recordings_in

    if csv == STDOUT and as_json:
        raise typer.BadParameter("both --csv - and --json print to stdout: choose one", param_hint="--csv")
    with ExitStack() as opened:
        runs = [opened.enter_context(Run.open(path)) for path in recordings_in(recordings)]
        found = tables.error_table(runs, top=5 if top5 else 1)
        if markdown is not None:
            _write(markdown, _printable_lines(tables.markdown(found)))
        if csv == STDOUT:
            print(_csv(found), end="")
        elif csv is not None:
            _write(Path(csv), _csv(found))
        if as_json:
            _print_json(found)
        elif csv != STDOUT:
            _print(found)


def _print(found: "ErrorTable") -> None:
    from ..analysis.error_table import columns, lines, notes
    from ..analysis.printable import printable
    from .console import console
    from .report import table_of

    screen = console()
    if found.blocks:
        rows = [[printable(cell) for cell in line] for line in lines(found)]
        screen.print(table_of([printable(heading) for heading in columns(found)], rows), soft_wrap=True)
    else:
        screen.print("No finished run with such an accuracy: there is nothing to put into a table.")
    for note in notes(found):
        screen.print(printable(note), soft_wrap=True)


def _print_json(found: "ErrorTable") -> None:
    import json

    from ..analysis.error_table import frame, notes

    figures = [
        {name: None if value != value else value for name, value in line.items()}  # noqa: PLR0124 # NaN: JSON has none
        for line in frame(found).to_dict(orient="records")
    ]
    left_out = [{"path": str(left.path), "reason": left.reason} for left in found.left_out]
    content: dict[str, Any] = {"figures": figures, "left_out": left_out, "notes": notes(found)}
    print(json.dumps(content, indent=1, allow_nan=False))


def _csv(found: "ErrorTable") -> str:
    from ..analysis.error_table import frame
    from ..analysis.printable import printable

    plain = frame(found).map(lambda value: printable(value) if isinstance(value, str) else value)
    return str(plain.to_csv(index=False))


def _printable_lines(text: str) -> str:
    from ..analysis.printable import printable_lines

    return printable_lines(text)


def _write(path: Path, text: str) -> None:
    from ..circuits.errors import CounterstreamError

    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CounterstreamError(
            f"{path}: cannot be written ({error.strerror or error}). Choose another file"
        ) from None
