"""`counterstream list`: what there is to choose from."""

import shlex
from dataclasses import dataclass
from typing import Annotated, get_args

import typer


@dataclass(frozen=True)
class Entry:
    """One thing that there is to choose."""

    meaning: str = ""
    variant_of: str = ""
    """Of a variant: the circuit in whose file it stands."""

    @property
    def text(self) -> str:
        """What it is, in words."""
        return f"a variant of {self.variant_of}" if self.variant_of else self.meaning


def list_all(
    circuit: Annotated[
        str | None,
        typer.Argument(metavar="[CIRCUIT]", help="List the options of this circuit instead: a stock name, or a file."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the names and meanings as JSON.")] = False,
) -> None:
    """List all that there is to choose from, by name: circuits, learning systems, engines, data, and the parts of the
    language; or a circuit's options.

    \b
    Examples:
      counterstream list
      counterstream list resnet18
    """
    if circuit is not None:
        _list_options(circuit, as_json)
        return
    found = contents()
    if as_json:
        import json

        print(json.dumps({kind: {n: e.text for n, e in entries.items()} for kind, entries in found.items()}, indent=1))
        return
    for kind, entries in found.items():
        print(f"{kind}:")
        below = _below(entries)
        for name, entry in entries.items():
            if not entry.variant_of:
                print(f"  {name:<31} {_short(entry.meaning)}".rstrip())
            if name in below:
                print(f"{'':<34}{', '.join(below[name])}")
    print("Next: counterstream list CIRCUIT shows a circuit's options")


def _list_options(circuit: str, as_json: bool) -> None:
    """The options of one circuit and their values, with an example of how to set one."""
    import json

    from ..circuits.writing import in_line
    from ..models.library import options_of

    options = options_of(circuit)
    if as_json:
        print(json.dumps(options, indent=1))
        return
    if not options:
        print(f"{circuit} has no options.\nNext: {shlex.join(('counterstream', 'explain', circuit))}")
        return
    print(f"options of {circuit}:")
    wide = max(map(len, options))
    for name, value in options.items():
        print(f"  {name:<{wide}}  {in_line(value)}")
    name, value = next(iter(options.items()))
    setting = ("--option", f"{name}={in_line(value)}")
    print(f"Next: {shlex.join(('counterstream', 'explain', circuit, *setting))}")


def contents() -> dict[str, dict[str, Entry]]:
    """Kind of thing -> name -> what it is."""
    from ..circuits.declarations.claims import PROPERTIES
    from ..circuits.declarations.projection import AnyWiring
    from ..circuits.transfers import TRANSFERS
    from ..engine.backends.registry import available_engines, origin
    from ..engine.data import SOURCES
    from ..models.library import stock_circuits, stock_learning, stock_variants

    union, _ = get_args(AnyWiring)
    return {
        "circuits": {
            **{name: _described(path) for name, path in stock_circuits().items()},
            **{name: Entry(variant_of=path.stem) for name, (path, _) in stock_variants().items()},
        },
        "learning systems": {name: _described(path) for name, path in stock_learning().items()},
        "engines": {name: Entry(origin(name)) for name in available_engines()},
        "data": {name: Entry(meaning) for name, meaning in SOURCES.items()},
        "wirings": {wiring.kind: Entry((wiring.__doc__ or "").partition(". ")[0]) for wiring in get_args(union)},
        "properties of rules": {name: Entry(claim.__doc__ or "") for name, claim in PROPERTIES.items()},
        "transfer functions": {name: Entry(transfer.meaning) for name, transfer in TRANSFERS.items()},
    }


def _below(entries: dict[str, Entry]) -> dict[str, list[str]]:
    """File -> the names of its variants, which stand below it in one line."""
    below: dict[str, list[str]] = {}
    for name, entry in entries.items():
        if entry.variant_of:
            below.setdefault(entry.variant_of, []).append(name)
    return below


def _described(path: object) -> Entry:
    from ..circuits.yamlfile import read_file

    return Entry(str(read_file(str(path)).data.get("description", "")))


def _short(text: str, width: int = 85) -> str:
    """The first sentence, cut where it is long."""
    sentence = " ".join(text.split()).partition(". ")[0].rstrip(".")
    return sentence if len(sentence) <= width else sentence[: width - 3].rstrip() + "..."
