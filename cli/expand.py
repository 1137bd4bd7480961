"""`counterstream expand`: the explicit form of a circuit."""

from pathlib import Path
from typing import Annotated

import typer

from .options import Options, settings


def expand(
    circuit: Annotated[str, typer.Argument(metavar="CIRCUIT", help="A stock circuit's name, or a file.")],
    learning: Annotated[
        str | None, typer.Option(metavar="NAME", help="A learning system in place of the circuit's own.")
    ] = None,
    option: Options = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write there; an existing file is kept."),
    ] = None,
    compact: Annotated[
        bool,
        typer.Option("--compact", help="Write out blocks and stages; leave the learning system in one place."),
    ] = False,
) -> None:
    """Print every population, projection, cross-projection and rule of a circuit, as YAML that loads to the
    same circuit.

    \b
    Example:
      counterstream expand digits_resnet --learning kolen_pollack -o explicit.yaml
    """
    from ..circuits import expansion
    from ..circuits.writing import dump
    from ..models.library import load

    loaded = load(circuit, learning=learning, options=settings(option))
    text = dump(expansion.compact(loaded) if compact else expansion.expand(loaded))
    if output is None:
        print(text, end="")
    else:
        _write(text, output)


def _write(text: str, output: Path) -> None:
    from ..circuits.errors import CounterstreamError

    try:
        with output.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise CounterstreamError(f"{output}: the file exists. Choose another name, or remove it") from None
    except OSError as error:
        raise CounterstreamError(f"{output}: the file cannot be written ({error.strerror})") from None
    print(f"Written to {output}. Next: counterstream check {output}")
