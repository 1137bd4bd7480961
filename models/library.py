"""Loading: stock circuits and learning systems by name, anyone's by path, text or declaration."""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from ..circuits.declarations import Circuit, LearningSystem
from ..circuits.errors import CircuitError, Problem, suggest
from ..circuits.expansion import expand
from ..circuits.inlining import apply_options
from ..circuits.locality import prove
from ..circuits.validation import build
from ..circuits.yamlfile import Document, read, read_file

Learning = str | Path | LearningSystem | None


def _stock(kind: str) -> dict[str, Path]:
    folder = Path(str(files(__package__ or "") / kind))
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def stock_circuits() -> dict[str, Path]:
    """Names and files of the circuits that ship with the package."""
    return _stock("circuits")


def stock_learning() -> dict[str, Path]:
    """Names and files of the learning systems that ship with the package."""
    return _stock("learning")


def load(
    circuit: str | Path,
    *,
    learning: Learning = None,
    parameters: Mapping[str, float] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Circuit:
    """A circuit by stock name or path, checked as a whole.

    `learning` replaces the circuit's learning system (a stock name, a path, or a LearningSystem), `parameters` overrides
    parameters of its rules, `options` those of the circuit. Raises CircuitError with every problem and its place.
    """
    document = read_file(_found(str(circuit), stock_circuits(), "circuit", Path()))
    return _checked(document, learning, parameters or {}, options or {})


def loads(
    text: str,
    *,
    learning: Learning = None,
    parameters: Mapping[str, float] | None = None,
    options: Mapping[str, Any] | None = None,
    file: str = "",
) -> Circuit:
    """A circuit from YAML text; otherwise as `load`. Paths in the text are relative to `file`'s folder."""
    return _checked(read(text, file), learning, parameters or {}, options or {})


def load_document(
    document: Document,
    *,
    learning: Learning = None,
    parameters: Mapping[str, float] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Circuit:
    """A circuit from a document that has been read already (one inside an experiment, say)."""
    return _checked(document, learning, parameters or {}, options or {})


def load_learning(learning: str | Path | LearningSystem, folder: Path = Path()) -> LearningSystem:
    """A learning system by stock name or path (relative to `folder`). Raises CircuitError."""
    if isinstance(learning, LearningSystem):
        return learning
    path = _found(str(learning), stock_learning(), "learning system", folder)
    return build(LearningSystem, read_file(path))


def with_learning(
    circuit: Circuit, learning: str | Path | LearningSystem, parameters: Mapping[str, float] | None = None
) -> Circuit:
    """The same forward topology under another learning system."""
    changed = circuit.model_copy(update={"learning": load_learning(learning)})
    changed = _with_parameters(changed, parameters or {}, Document({}, circuit.name))
    expand(changed)
    return changed


def _found(name: str, stock: Mapping[str, Path], kind: str, folder: Path) -> Path:
    if name in stock:
        return stock[name]
    path = folder / name
    if path.suffix in (".yaml", ".yml") or path.exists():
        return path
    hint = suggest(name, stock, f"stock {kind}s")
    raise CircuitError(Problem(f"unknown {kind} '{name}': neither a stock name nor a file. {hint}"))


def _checked(
    document: Document, learning: Learning, parameters: Mapping[str, float], options: Mapping[str, Any]
) -> Circuit:
    document = apply_options(document, options)
    circuit = build(Circuit, document)
    folder = Path(document.file).parent
    if learning is not None:
        circuit = circuit.model_copy(update={"learning": load_learning(learning)})
    elif isinstance(circuit.learning, str):
        circuit = circuit.model_copy(update={"learning": _located(document, ("learning",), circuit.learning, folder)})
    projections = [
        projection.model_copy(
            update={"learning": _located(document, ("projections", index, "learning"), projection.learning, folder)}
        )
        if isinstance(projection.learning, str)
        else projection
        for index, projection in enumerate(circuit.projections)
    ]
    circuit = circuit.model_copy(update={"projections": projections})
    circuit = _with_parameters(circuit, parameters, document)
    prove(expand(circuit, document))
    return circuit


def _located(document: Document, path: tuple[str | int, ...], name: str, folder: Path) -> LearningSystem:
    try:
        return load_learning(name, folder)
    except CircuitError as error:
        raise error.located(document.location(path), str(path[0])) from None


def _with_parameters(circuit: Circuit, given: Mapping[str, float], document: Document) -> Circuit:
    known = {
        **(circuit.learning.parameters if isinstance(circuit.learning, LearningSystem) else {}),
        **circuit.parameters,
    }
    unknown = [name for name in given if name not in known]
    if unknown:
        raise CircuitError(
            document.problem(f"unknown parameter '{name}'. {suggest(name, known, 'parameters')}", ("parameters",))
            for name in unknown
        )
    return circuit.model_copy(update={"parameters": {**circuit.parameters, **given}})
