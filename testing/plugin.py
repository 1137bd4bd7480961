"""What pytest gains where this package is installed: options that name engines, and a fixture that knows them.

Loaded at the start of every pytest run in the environment, so it imports nothing slow, and it takes short names,
`--engine` among them, which others may want, only where this package's tests run (`--pyargs counterstream.testing`).
"""

from typing import Any

import pytest

PACKAGE = "counterstream"
ENGINES = "engine"
OPTIONS: dict[str, dict[str, Any]] = {
    ENGINES: {"metavar": "NAME", "action": "append", "help": "The engine to be tested. May be given several times."},
    "device": {"metavar": "DEVICE", "default": "cpu", "help": "Where it computes. [default: cpu]"},
    "examples": {
        "metavar": "N",
        "type": int,
        "default": 20,
        "help": "How many random circuits, and lists of wirings, the conformance suite tries. [default: 20]",
    },
    "support-table": {"metavar": "FILE", "help": "Write what the engines support, as a Markdown table."},
}
"""By the short name; the long one has the package's name before it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    _add(parser, f"--{PACKAGE}-")


def pytest_load_initial_conftests(parser: pytest.Parser, args: list[str]) -> None:
    asked = [argument for argument in args if argument.partition(".")[0] == PACKAGE and argument != __name__]
    if "--pyargs" in args and asked:
        _add(parser, "--")


def _add(parser: pytest.Parser, before: str) -> None:
    group = parser.getgroup(PACKAGE)
    for name, how in OPTIONS.items():
        group.addoption(before + name, dest=_destination(name), **how)


def _destination(name: str) -> str:
    return f"{PACKAGE}_{name.replace('-', '_')}"


def option(config: pytest.Config, name: str) -> Any:
    """What the command line says about an option, under whichever of its names."""
    return config.getoption(_destination(name))


def pytest_configure(config: pytest.Config) -> None:
    """Raises UsageError for an engine that is not available: it must not look as if it had passed."""
    for name in option(config, ENGINES) or ():
        _load(name, option(config, "device"))
    if path := option(config, "support-table"):
        from .conformance.support import SupportTable

        config.pluginmanager.register(SupportTable(path))


def _load(name: str, device: str) -> None:
    from ..circuits.errors import CounterstreamError
    from ..engine.backends import load_engine

    try:
        load_engine(name, device=device)
    except CounterstreamError as error:
        raise pytest.UsageError(str(error)) from error


@pytest.fixture(scope="session")
def counterstream_engine(pytestconfig: pytest.Config) -> str | None:
    """The engine that the command line names, the first of several, or None."""
    names: list[str] = option(pytestconfig, ENGINES) or []
    return names[0] if names else None
