"""Options and variants: a circuit file with named values becomes one without."""

from collections.abc import Iterator, Mapping
from typing import Any

from .errors import CircuitError, Location, Problem, suggest
from .references import Room, left_over, settled, substituted
from .yamlfile import Document, Path_, path_text


def apply_options(document: Document, given: Mapping[str, Any], variant: str | None = None) -> Document:
    """The document without options and variants: every `$option` replaced by its value.

    That is the value in `given`, or the variant's, or the declared default. Options may be reckoned from other options.
    Inside a block, the block's own parameters hide options of the same name. A variant's name becomes the circuit's.
    Raises CircuitError for unknown options and variants, and for options that cannot be settled.
    """
    data = document.data
    if not isinstance(data, dict):
        return document
    declared, variants, chosen = _declared(document, variant)
    problems = [
        document.problem(f"unknown option '{name}'. {suggest(name, declared, 'options')}", path)
        for name, path in _set_options(given, variants)
        if name not in declared
    ]
    options, faults = settled({**declared, **chosen, **given}, "options")
    for (name, *inside), why in faults:
        if name in given:
            problems.append(Problem(why, path_text(tuple(inside)), Location(f"option {name}")))
        else:
            holder = ("variants", str(variant)) if name in chosen else ("options",)
            problems.append(document.problem(why, (*holder, name, *inside)))
    rest = {key: value for key, value in data.items() if key not in ("options", "variants", "blocks")}
    written = substituted(rest | ({"name": variant} if variant else {}), options)
    if refusal := Room().refusal(written):
        problems.append(document.problem(refusal))
    elif not faults:  # else much is left over because of them
        problems += [document.problem(why, path) for path, why in left_over(written, options, "options")]
    if problems:
        raise CircuitError(sorted(problems, key=lambda p: p.location))
    if isinstance(blocks := data.get("blocks"), dict):
        written["blocks"] = {name: substituted(block, _unhidden(options, block)) for name, block in blocks.items()}
    elif "blocks" in data:
        written["blocks"] = blocks
    ordered = {key: written[key] for key in (*data, "name") if key in written}
    return Document(ordered, document.file, origins={(): (document, ())})


def options_of(document: Document, variant: str | None = None) -> dict[str, Any]:
    """The options of a file and their values where nothing is given, as they are written. Raises CircuitError."""
    if not isinstance(document.data, dict):
        return {}
    declared, _, chosen = _declared(document, variant)
    return declared | chosen


def _declared(document: Document, variant: str | None) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """The options and the variants of a file, and what the chosen variant sets."""
    declared, variants = _mapping(document, "options"), _mapping(document, "variants")
    if variant is None:
        return declared, variants, {}
    if variant not in variants:
        hint = suggest(variant, variants, "variants")
        raise CircuitError(document.problem(f"unknown variant '{variant}'. {hint}", ("variants",)))
    return declared, variants, variants[variant]


def _mapping(document: Document, key: str) -> dict[str, Any]:
    """What stands at the top of a file under a key, of names to values."""
    found = document.data.get(key) or {}
    nested = key == "variants" and isinstance(found, dict)
    for path, value in (((key,), found), *(((key, name), item) for name, item in (found.items() if nested else ()))):
        if not isinstance(value, dict):
            raise CircuitError(document.problem("must be a mapping of names to values", path))
    return dict(found)


def _set_options(given: Mapping[str, Any], variants: Mapping[str, Any]) -> Iterator[tuple[str, Path_]]:
    """The options that somebody sets, and where."""
    yield from ((name, ("options",)) for name in given)
    for variant, settings in variants.items():
        yield from ((name, ("variants", variant, name)) for name in settings)


def _unhidden(options: dict[str, Any], block: Any) -> dict[str, Any]:
    own = block.get("parameters", {}) if isinstance(block, dict) else {}
    return {name: value for name, value in options.items() if not isinstance(own, dict) or name not in own}
