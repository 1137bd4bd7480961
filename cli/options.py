"""What commands share: settings of a circuit's options, as NAME=VALUE."""

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
