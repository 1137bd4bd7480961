"""Who may import whom: circuits <- models, circuits <- engine, analysis on its own, the command line on top.

Static over the source files, so that an import inside a function counts too; then, in fresh interpreters,
what importing really loads.
"""

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import counterstream

PACKAGE = "counterstream"
ROOT = Path(counterstream.__file__).parent

# What each folder may import of the package. The command line and the root stand on top and may import all.
MAY_IMPORT = {
    "circuits": {"circuits"},
    "models": {"circuits", "models"},
    "models/exchange": {"circuits", "models", "engine"},  # between a simulator's state and torch's modules
    "engine": {"circuits", "engine"},
    "engine/compiler": {"circuits", "engine/compiler"},
    "analysis": {"analysis"},
    "bench": {"circuits", "models", "models/exchange", "engine", "engine/compiler", "bench"},
    "testing": {"circuits", "models", "engine", "engine/compiler", "testing"},
}
WITH_TORCH = ("engine", "models/exchange", "bench")
TORCH = {"torch", "torchvision"}
SLOW_TO_LOAD = ("torch", "networkx", "pandas", "matplotlib", "sklearn", "hypothesis")

# Names that only automatic differentiation uses. `aten.convolution_backward` and its like are explicit
# operations and pass.
AUTOGRAD = {
    *("autograd", "backward", "enable_grad", "requires_grad", "requires_grad_", "set_grad_enabled"),
    *("functional_call", "grad_fn", "jvp", "retain_grad", "value_and_grad", "vjp"),
}

Finder = Callable[[Path, str], list[str]]


def package_files() -> list[Path]:
    """Every source file of the import package, relative to its root."""
    folders = ("circuits", "models", "engine", "analysis", "bench", "testing", "cli")
    files = [*ROOT.glob("*.py"), *(file for folder in folders for file in (ROOT / folder).rglob("*.py"))]
    return sorted(file.relative_to(ROOT) for file in files)


FILES = [pytest.param(file, id=file.as_posix()) for file in package_files()]


def imports(file: Path, source: str) -> Iterator[tuple[int, str]]:
    """(line, absolute dotted name) of every import in `source`, wherever it stands.

    `from a import b` yields `a.b`: whether b is a module or a name in one makes no difference here.
    """
    package = (PACKAGE, *file.parent.parts)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            prefix = (*base, *(node.module.split(".") if node.module else ()))
            yield from ((node.lineno, ".".join((*prefix, alias.name))) for alias in node.names)


def unit_of(parts: tuple[str, ...]) -> str:
    """The unit of `MAY_IMPORT` that a path or dotted name inside the package belongs to; '' for the root."""
    nested = "/".join(parts[:2])
    return nested if nested in MAY_IMPORT else (parts[0] if parts else "")


def against_direction(file: Path, source: str) -> list[str]:
    """Imports of `file` that go against `MAY_IMPORT`."""
    allowed = MAY_IMPORT.get(unit_of(file.parent.parts))
    if allowed is None:
        return []
    found = []
    for line, name in imports(file, source):
        package, *parts = name.split(".")
        if package == PACKAGE and not allowed & {unit_of(tuple(parts)), *parts[:1]}:
            may = ", ".join(sorted(allowed))
            found.append(f"{file.as_posix()}:{line}: imports {'.'.join(parts)}; may import {may}")
    return found


def torch_imports(file: Path, source: str) -> list[str]:
    """Imports of torch in a file that must do without it."""
    if unit_of(file.parent.parts) in WITH_TORCH:
        return []
    return [
        f"{file.as_posix()}:{line}: imports {name}; only engine/ (without compiler/), models/exchange/ and bench/ may"
        for line, name in imports(file, source)
        if name.split(".")[0] in TORCH
    ]


def absolute_imports(file: Path, source: str) -> list[str]:
    """Imports of the package by its own name, which type checkers cannot follow in place."""
    named: list[tuple[int, str]] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            named += ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            named.append((node.lineno, node.module or ""))
    return [
        f"{file.as_posix()}:{line}: imports {name} by the package's name; inside it imports are relative"
        for line, name in named
        if name.split(".")[0] == PACKAGE
    ]


def autograd_words(file: Path, source: str) -> list[str]:
    """Uses of automatic differentiation: attributes, names, keywords and imports. Prose is free."""
    words: list[tuple[int, str]] = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(attr=word) | ast.Name(id=word):
                words.append((node.lineno, word))
            case ast.keyword(arg=str(word)):
                words.append((node.value.lineno, word))
    words += [(line, word) for line, name in imports(file, source) for word in name.split(".")]
    return [f"{file.as_posix()}:{line}: uses {word}" for line, word in words if word in AUTOGRAD]


@pytest.mark.parametrize("file", FILES)
def test_direction_of_imports(file: Path) -> None:
    source = (ROOT / file).read_text(encoding="utf-8")
    found = [*against_direction(file, source), *torch_imports(file, source), *absolute_imports(file, source)]
    assert found == []


@pytest.mark.parametrize("file", [param for param in FILES if param.values[0].parts[0] == "engine"])
def test_engine_differentiates_by_hand(file: Path) -> None:
    assert autograd_words(file, (ROOT / file).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("find", "file", "source", "expected"),
    [
        (
            against_direction,
            "circuits/a.py",
            "def f():\n    from ..engine import b",
            "a.py:2: imports engine.b",
        ),
        (against_direction, "circuits/rules/a.py", "from ... import models", "imports models"),
        (against_direction, "circuits/a.py", "from .. import __version__", "imports __version__"),
        (against_direction, "models/a.py", "from ..engine.compiler import b", "imports engine.compiler.b"),
        (against_direction, "engine/a.py", "from ..analysis import b", "imports analysis.b"),
        (against_direction, "engine/compiler/a.py", "from ..backends import b", "imports engine.backends.b"),
        (against_direction, "analysis/a.py", "import counterstream.circuits", "imports circuits"),
        (torch_imports, "circuits/a.py", "import torch.fx", "imports torch.fx"),
        (torch_imports, "engine/compiler/a.py", "from torch import nn", "imports torch.nn"),
        (torch_imports, "analysis/a.py", "import torchvision", "imports torchvision"),
        (torch_imports, "cli/a.py", "def f():\n    import torch", "a.py:2: imports torch"),
        (torch_imports, "models/a.py", "import torch", "a.py:1: imports torch"),
        (against_direction, "models/exchange/a.py", "from ...cli import b", "imports cli.b"),
        (against_direction, "bench/a.py", "from ..cli import b", "imports cli.b"),
        (against_direction, "engine/a.py", "from ..bench import b", "imports bench.b"),
        (torch_imports, "__init__.py", "import torch", "imports torch"),
        (torch_imports, "testing/a.py", "import torch", "imports torch"),
        (against_direction, "engine/a.py", "from ..testing import b", "imports testing.b"),
        (against_direction, "circuits/a.py", "from ..testing import b", "imports testing.b"),
        (
            absolute_imports,
            "cli/a.py",
            "from counterstream.circuits import load",
            "inside it imports are relative",
        ),
        (
            absolute_imports,
            "cli/a.py",
            "def f():\n    import counterstream as cs",
            "inside it imports are relative",
        ),
        (autograd_words, "engine/a.py", "loss.backward()", "uses backward"),
        (autograd_words, "engine/a.py", "torch.empty(1, requires_grad=True)", "uses requires_grad"),
        (autograd_words, "engine/a.py", "from torch.autograd import Function", "uses autograd"),
    ],
)
def test_a_planted_violation_is_named(find: Finder, file: str, source: str, expected: str) -> None:
    assert expected in "\n".join(find(Path(file), source))


@pytest.mark.parametrize(
    ("find", "file", "source"),
    [
        (against_direction, "engine/compiler/a.py", "from ...circuits.wiring import Shape"),
        (against_direction, "engine/training/a.py", "from ..compiler import compile"),
        (against_direction, "cli/a.py", "from ..engine import compile"),
        (absolute_imports, "cli/a.py", "from .. import __version__"),
        (torch_imports, "engine/backends/torch.py", "import torch"),
        (torch_imports, "cli/a.py", "from ..engine.backends import torch"),
        (torch_imports, "models/exchange/a.py", "import torch"),
        (torch_imports, "bench/a.py", "import torch"),
        (against_direction, "bench/a.py", "from ..models.exchange import to_torch"),
        (against_direction, "models/exchange/a.py", "from ..builder import Builder"),
        (against_direction, "models/exchange/a.py", "from ...engine.simulator import Simulator"),
        (autograd_words, "engine/a.py", "# no requires_grad\naten.convolution_backward.default(x)"),
    ],
)
def test_what_is_allowed_passes(find: Finder, file: str, source: str) -> None:
    assert find(Path(file), source) == []


def loaded_by(*arguments: str) -> set[str]:
    """The modules of `SLOW_TO_LOAD` that a fresh interpreter loads when it runs with `arguments`."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    lines = done.stderr.splitlines()
    account = [line for line in lines if line.startswith("import time:")]
    if done.returncode:
        pytest.fail("\n".join(line for line in lines if line not in account))
    return {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in account} & set(SLOW_TO_LOAD)


@pytest.mark.parametrize("arguments", [("-c", "import counterstream"), ("-m", "counterstream", "--help")], ids=" ".join)
def test_starting_loads_nothing_slow(arguments: tuple[str, ...]) -> None:
    assert loaded_by(*arguments) == set()


@pytest.mark.parametrize("module", ["circuits", "models", "engine.compiler", "analysis", "testing", "testing.plugin"])
def test_importing_loads_no_torch(module: str) -> None:
    assert "torch" not in loaded_by("-c", f"import {PACKAGE}.{module}")


def test_a_slow_import_is_seen() -> None:
    assert loaded_by("-c", "import networkx") == {"networkx"}
