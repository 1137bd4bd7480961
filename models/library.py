"""Loading: stock circuits and learning systems by name, anyone's by path, text or declaration."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from math import isfinite
from pathlib import Path
from typing import Any

from ..circuits import options as circuit_options
from ..circuits.declarations import Circuit, LearningSystem
from ..circuits.errors import CircuitError, Location, Problem, Problems, suggest
from ..circuits.expansion import expand, expand_document
from ..circuits.locality import prove
from ..circuits.references import left_over
from ..circuits.validation import build
from ..circuits.writing import as_data
from ..circuits.yamlfile import Document, Path_, path_text, read, read_file

SUFFIXES = (".yaml", ".yml")
Learning = str | Path | LearningSystem | Document | None


def _stock(kind: str) -> dict[str, Path]:
    folder = Path(str(files(__package__ or "") / kind))
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def stock_circuits() -> dict[str, Path]:
    """Names and files of the circuits that ship with the package."""
    return _stock("circuits")


def stock_learning() -> dict[str, Path]:
    """Names and files of the learning systems that ship with the package."""
    return _stock("learning")


@cache
def stock_variants() -> dict[str, tuple[Path, str]]:
    """Names of the variants in the stock circuits' files: in which file each stands, and under which name there."""
    found: dict[str, tuple[Path, str]] = {}
    for path in stock_circuits().values():
        variants = read_file(path).data.get("variants", {})
        found |= {name: (path, name) for name in variants}
    return found


def load(
    circuit: str | Path,
    *,
    learning: Learning = None,
    parameters: Mapping[str, float] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Circuit:
    """A circuit by stock name or path, checked as a whole. FILE.yaml:NAME is a variant in a file.

    `learning` replaces the circuit's learning system (a stock name, a path, a LearningSystem or its document),
    `parameters` overrides parameters of its rules, `options` those of the circuit. Raises CircuitError with every
    problem and its place.
    """
    path, variant = _file_and_variant(str(circuit))
    return _with_options(read_file(path), variant, options or {}, learning, parameters or {})


def options_of(circuit: str | Path) -> dict[str, Any]:
    """The options of a circuit by stock name or path, with the values that they have where none is given.

    Values are as they are written: an option that is reckoned from others is an expression. Raises CircuitError.
    """
    path, variant = _file_and_variant(str(circuit))
    return circuit_options.options_of(read_file(path), variant)


def loads(
    text: str,
    *,
    learning: Learning = None,
    parameters: Mapping[str, float] | None = None,
    options: Mapping[str, Any] | None = None,
    file: str = "",
) -> Circuit:
    """A circuit from YAML text; otherwise as `load`. Paths in the text are relative to `file`'s folder."""
    return load_document(read(text, file), learning=learning, parameters=parameters, options=options)


def load_document(
    document: Document,
    *,
    learning: Learning = None,
    parameters: Mapping[str, float] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Circuit:
    """A circuit from a document that has been read already (one inside an experiment, say)."""
    return _with_options(document, None, options or {}, learning, parameters or {})


def load_learning(learning: str | Path | LearningSystem, folder: Path = Path()) -> LearningSystem:
    """A learning system by stock name or path (relative to `folder`). Raises CircuitError."""
    if isinstance(learning, LearningSystem):
        return learning
    return build(LearningSystem, learning_document(learning, folder))


def with_learning(
    circuit: Circuit, learning: str | Path | LearningSystem, parameters: Mapping[str, float] | None = None
) -> Circuit:
    """The same forward topology under another learning system. Raises CircuitError."""
    if not isinstance(circuit, Circuit):
        got = type(circuit).__name__
        raise CircuitError(Problem(f"with_learning takes a Circuit (got {got}): say load(...), or network.circuit"))
    changed = circuit.model_copy(update={"learning": load_learning(learning)})
    changed = _with_parameters(changed, parameters or {}, Document({}, circuit.name))
    expand(changed)
    return changed


def learning_document(learning: str | Path | LearningSystem | Document, folder: Path = Path()) -> Document:
    """What a learning system's declaration says, and where. Raises CircuitError."""
    if isinstance(learning, LearningSystem):
        return Document(as_data(learning), learning.name)
    if isinstance(learning, Document):
        document = learning
    else:
        document = read_file(_found(str(learning), stock_learning(), "learning system", folder))
    if not isinstance(document.data, dict):  # nothing, say: put in the place of the name, it would pass for no system
        raise CircuitError(document.problem("the file must hold a learning system: a mapping of keys to values"))
    # It has no options; inside a circuit, where it will stand, these would pass for the circuit's.
    if left := [document.problem(why, path) for path, why in left_over(document.data, {}, "options")]:
        raise CircuitError(left)
    return document


def _file_and_variant(name: str) -> tuple[Path, str | None]:
    """Where a circuit stands: a stock name, a variant's stock name, a path, or a path and a variant."""
    stock = stock_circuits()
    file, colon, variant = name.rpartition(":")
    if colon and (file in stock or Path(file).suffix in SUFFIXES):
        return _found(file, stock, "circuit", Path()), variant
    if name not in stock and name in stock_variants():
        return stock_variants()[name]
    return _found(name, stock, "circuit", Path()), None


def _found(name: str, stock: Mapping[str, Path], kind: str, folder: Path) -> Path:
    if name in stock:
        return stock[name]
    path = folder / name
    if path.suffix in SUFFIXES or _is_file(path):
        return path
    known = [*stock, *stock_variants()] if kind == "circuit" else stock
    hint = suggest(name, known, f"stock {kind}s")
    raise CircuitError(Problem(f"unknown {kind} '{name}': neither a stock name nor a file. {hint}"))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long, or with a null character
        return False


def _with_options(
    document: Document,
    variant: str | None,
    given: Mapping[str, Any],
    learning: Learning,
    parameters: Mapping[str, float],
) -> Circuit:
    """The circuit of a file under options. Raises CircuitError, which names the options where they are to blame."""

    def circuit(options: Mapping[str, Any]) -> Circuit:
        return _checked(circuit_options.apply_options(document, options, variant), learning, parameters)

    try:
        return circuit(given)
    except CircuitError as error:
        raise _blamed(error, given, circuit) if given else error from None


def _blamed(
    error: CircuitError, given: Mapping[str, Any], circuit: Callable[[Mapping[str, Any]], Circuit]
) -> CircuitError:
    """The error as one of the options that were given, which may break a circuit in many places far from where they are
    written: of each without which the circuit holds together, else of all. It stays as it is where the file is wrong
    whatever is given."""

    def holds(options: Mapping[str, Any]) -> bool:
        try:
            circuit(options)
        except CircuitError:
            return False
        return True

    alone = [name for name in given if holds({key: value for key, value in given.items() if key != name})]
    if not alone and not (len(given) > 1 and holds({})):
        return error
    first, *others = error.problems
    blamed = Location(f"option {', '.join(alone or given)}")
    if first.location.file == blamed.file:  # it could not be settled, which names it already
        return error
    place = f"{first.location}: {first.path}" if first.path else f"{first.location}"
    more = f", and {len(others)} more" if others else ""
    return CircuitError(Problem(f"{first.message}; seen at {place}{more}", "", blamed))


def _checked(document: Document, learning: Learning, parameters: Mapping[str, float]) -> Circuit:
    document = _with_systems(document, learning)
    circuit = _with_parameters(build(Circuit, document), parameters, document)
    prove(*expand_document(circuit, document, strict=learning is None))
    return circuit


def _with_systems(document: Document, learning: Learning) -> Document:
    """The document with learning systems in the place of their names, `learning`, where given, in that of its own."""
    folder, data = Path(document.file).parent, document.data
    if not isinstance(data, dict):
        return document
    found: dict[Path_, Document] = {}
    known: dict[str, Document] = {}
    problems = Problems()
    for path, name in _named_systems({**data, "learning": None} if learning is not None else data):
        try:
            known[name] = found[path] = known.get(name) or learning_document(name, folder)
        except CircuitError as error:
            problems.extend(error.located(document.location(path), path_text(path)).problems)
    if learning is not None:
        found["learning",] = learning_document(learning)
    problems.stop()
    origins = {(): (document, ()), **{path: (system, ()) for path, system in found.items()}}
    for path, system in found.items():
        data = _replaced(data, path, system.data)
    return Document(data, document.file, origins=origins)


def _named_systems(data: dict[str, Any]) -> Iterator[tuple[Path_, str]]:
    """Where a document names a learning system: for the circuit, for a projection, for a projection in a block."""
    if isinstance(name := data.get("learning"), str):
        yield ("learning",), name
    blocks = data.get("blocks")
    holders: list[tuple[Path_, Any]] = [((), data)]
    holders += [(("blocks", name), block) for name, block in blocks.items()] if isinstance(blocks, dict) else []
    for path, holder in holders:
        projections = holder.get("projections") if isinstance(holder, dict) else None
        for index, projection in enumerate(projections if isinstance(projections, list) else ()):
            name = projection.get("learning") if isinstance(projection, dict) else None
            if isinstance(name, str) and not name.startswith("$"):  # a block's parameter, not known yet
                yield (*path, "projections", index, "learning"), name


def _replaced(data: Any, path: Path_, value: Any) -> Any:
    """Plain data with another value at a path; the original is left as it is."""
    if not path:
        return value
    changed = data.copy()
    changed[path[0]] = _replaced(data[path[0]] if len(path) > 1 else None, path[1:], value)
    return changed


def _with_parameters(circuit: Circuit, given: Mapping[str, float], document: Document) -> Circuit:
    known = {
        **(circuit.learning.parameters if isinstance(circuit.learning, LearningSystem) else {}),
        **circuit.parameters,
    }
    problems = [
        document.problem(f"unknown parameter '{name}'. {suggest(name, known, 'parameters')}", ("parameters",))
        for name in given
        if name not in known
    ]
    problems += [
        document.problem(f"must be a finite number (got {value!r})", ("parameters", name))
        for name, value in given.items()
        if not isinstance(value, int | float) or isinstance(value, bool) or not isfinite(value)
    ]
    if problems:
        raise CircuitError(problems)
    return circuit.model_copy(update={"parameters": {**circuit.parameters, **given}})
