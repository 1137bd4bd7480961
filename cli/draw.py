"""`counterstream draw`: the picture of a circuit."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import Options, command, settings

if TYPE_CHECKING:
    from ..circuits.drawing import Scene

SUFFIXES = (".svg", ".png", ".html")


def draw(
    circuit: Annotated[str, typer.Argument(metavar="CIRCUIT", help="A stock circuit's name, or a file.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write there, in the format that the name ends in: .svg, .png or .html. An existing file is kept. "
            "Default: the circuit's name and .svg, in this folder.",
        ),
    ] = None,
    learning: Annotated[
        str | None, typer.Option(metavar="NAME", help="A learning system in place of the circuit's own.")
    ] = None,
    option: Options = None,
    expand: Annotated[
        list[str] | None,
        typer.Option(metavar="BLOCK", help="Show this block open, such as stage2.block1. May be repeated."),
    ] = None,
    depth: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, help="Open blocks down to this level. Default: as many as a page holds."),
    ] = None,
) -> None:
    """Draw a circuit: both streams side by side, cross-projections between them, plastic synapses by rule, weight
    transport in red. Blocks in a row that are alike are drawn once. In HTML, blocks open and close on a click.

    \b
    Examples:
      counterstream draw digits_resnet --learning weight_mirror
      counterstream draw resnet50 --expand stage2.block1 -o resnet50.html
    """
    from ..circuits.drawing import picture
    from ..models.library import load

    if output is not None:
        _check(output)
    loaded = load(circuit, learning=learning, options=settings(option))
    path = output or Path(re.sub(r"[^\w.-]+", "_", loaded.name).strip(".") or "circuit").with_suffix(".svg")
    scene = picture(loaded, opened=expand or (), depth=depth, foldable=path.suffix.lower() == ".html")
    _write(path, _painted(scene, path.suffix.lower()))
    print(f"Written to {path}: open it in a browser.")
    print(f"Next: {command('check', circuit, learning, option)}")


def _check(path: Path) -> None:
    """Refuse a name that says no format, before anything is loaded."""
    from ..circuits.errors import CounterstreamError

    if path.suffix.lower() not in SUFFIXES:
        raise CounterstreamError(f"{path}: a picture's name must end in {', '.join(SUFFIXES)} (got {path.suffix!r})")


def _painted(scene: "Scene", suffix: str) -> bytes:
    from ..circuits.drawing import as_html, as_png, as_svg

    if suffix == ".png":
        return as_png(scene)
    return (as_html if suffix == ".html" else as_svg)(scene).encode()


def _write(path: Path, data: bytes) -> None:
    from ..circuits.errors import CounterstreamError

    try:
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError:
        raise CounterstreamError(f"{path}: the file exists. Choose another name with -o, or remove it") from None
    except OSError as error:
        raise CounterstreamError(f"{path}: the file cannot be written ({error.strerror})") from None
