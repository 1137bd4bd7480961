"""What commands share: settings of a circuit's options, as NAME=VALUE, and how to ask another command for the same."""

import shlex
from collections.abc import Iterable
from typing import Annotated, Any

import typer

Options = Annotated[
    list[str] | None,
    typer.Option(
        "--option", metavar="NAME=VALUE", help="An option of the circuit's file, such as width=0.25. May be repeated."
    ),
]


def settings(options: Iterable[str] | None) -> dict[str, Any]:
    """The settings as a mapping; values are read as YAML. Raises CounterstreamError."""
    from ..circuits.errors import CircuitError, CounterstreamError
    from ..circuits.yamlfile import read

    found = {}
    for option in options or ():
        name, equals, text = option.partition("=")
        if not (equals and name.strip()):
            raise CounterstreamError(f"--option takes NAME=VALUE, such as width=0.25 (got {option!r})")
        try:
            found[name.strip()] = read(text, "--option").data
        except CircuitError as error:
            raise CounterstreamError(f"--option {name.strip()}: {error.problems[0].message}") from None
    return found


def command(name: str, circuit: str, learning: str | None, option: Iterable[str] | None) -> str:
    """Another command about the same circuit, ready to be pasted into a shell."""
    chosen = ("--learning", learning) if learning else ()
    options = (part for one in option or () for part in ("--option", one))
    return shlex.join(("counterstream", name, circuit, *chosen, *options))
