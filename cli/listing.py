"""`counterstream list`: what there is to choose from."""

from typing import Annotated, get_args

import typer

VARIANT = "a variant of "


def list_all(
    as_json: Annotated[bool, typer.Option("--json", help="Print the names and meanings as JSON.")] = False,
) -> None:
    """List circuits, learning systems, engines, data, wirings and transfer functions, by name.

    \b
    Example:
      counterstream list
    """
    found = contents()
    if as_json:
        import json

        print(json.dumps(found, indent=1))
        return
    for kind, entries in found.items():
        print(f"{kind}:")
        below = _below(entries)
        for name, meaning in entries.items():
            if not meaning.startswith(VARIANT):
                print(f"  {name:<26} {_short(meaning)}".rstrip())
            if name in below:
                print(f"{'':<29}{', '.join(below[name])}")


def contents() -> dict[str, dict[str, str]]:
    """Kind of thing -> name -> what it is."""
    from ..circuits.declarations.projection import AnyWiring
    from ..circuits.transfers import TRANSFERS
    from ..engine.backends.registry import available_engines
    from ..engine.data import SOURCES
    from ..models.library import stock_circuits, stock_learning, stock_variants

    union, _ = get_args(AnyWiring)
    return {
        "circuits": {
            **{name: _description(path) for name, path in stock_circuits().items()},
            **{name: f"{VARIANT}{path.stem}" for name, (path, _) in stock_variants().items()},
        },
        "learning systems": {name: _description(path) for name, path in stock_learning().items()},
        "engines": dict.fromkeys(available_engines(), ""),
        "data": dict(SOURCES),
        "wirings": {wiring.kind: (wiring.__doc__ or "").partition(". ")[0] for wiring in get_args(union)},
        "transfer functions": {name: transfer.meaning for name, transfer in TRANSFERS.items()},
    }


def _below(entries: dict[str, str]) -> dict[str, list[str]]:
    """File -> the names of its variants, which stand below it in one line."""
    below: dict[str, list[str]] = {}
    for name, meaning in entries.items():
        if meaning.startswith(VARIANT):
            below.setdefault(meaning.removeprefix(VARIANT), []).append(name)
    return below


def _description(path: object) -> str:
    from ..circuits.yamlfile import read_file

    return str(read_file(str(path)).data.get("description", ""))


def _short(text: str, width: int = 90) -> str:
    """The first sentence, cut where it is long."""
    sentence = " ".join(text.split()).partition(". ")[0].rstrip(".")
    return sentence if len(sentence) <= width else sentence[: width - 3].rstrip() + "..."
