"""The public names. A change of this list is a change for users: it belongs in CHANGELOG.md."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import counterstream

PUBLIC = [
    "Builder",
    "Circuit",
    "CircuitError",
    "Consolidation",
    "CounterstreamError",
    "ExchangeError",
    "Network",
    "Ranks",
    "Simulator",
    "__version__",
    "as_torchvision",
    "check",
    "compile",
    "dump",
    "expand",
    "from_torch",
    "load",
    "loads",
    "to_torch",
    "with_learning",
]


def indexed_packages() -> list[str]:
    """The sub-packages whose `__init__.py` declares its public names."""
    root = Path(counterstream.__file__).parent
    folders = ("circuits", "models", "engine", "analysis", "bench", "testing", "cli")
    files = (file for folder in folders for file in sorted((root / folder).rglob("__init__.py")))
    return [
        ".".join(("counterstream", *file.parent.relative_to(root).parts))
        for file in files
        if "__all__" in file.read_text(encoding="utf-8")
    ]


def test_public_names() -> None:
    assert sorted(counterstream.__all__) == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_public_name_resolves(name: str) -> None:
    assert getattr(counterstream, name) is not None
    assert name in dir(counterstream), "names that load lazily must show in dir(), where completion looks"


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="lode"):
        counterstream.lode  # noqa: B018 - the access itself is what is tested


@pytest.mark.parametrize("package", indexed_packages())
def test_package_index_is_true(package: str) -> None:
    module = import_module(package)
    assert [name for name in module.__all__ if not hasattr(module, name)] == []
    assert len(set(module.__all__)) == len(module.__all__)


def test_module_runs_as_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "counterstream", "--help"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0
    assert "demo" in done.stdout
