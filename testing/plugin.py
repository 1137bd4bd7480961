"""What pytest gains where this package is installed: an option that names an engine, and a fixture that knows it.

Loaded at the start of every pytest run in the environment, so it imports nothing slow, and it takes the short name
`--engine`, which others may want, only where tests of this package are what is run (`--pyargs counterstream.testing`).
"""

import pytest

PACKAGE = "counterstream"
DESTINATION = "counterstream_engine"


def pytest_addoption(parser: pytest.Parser) -> None:
    _add(parser, "--counterstream-engine")


def pytest_load_initial_conftests(parser: pytest.Parser, args: list[str]) -> None:
    asked = [argument for argument in args if argument.partition(".")[0] == PACKAGE and argument != __name__]
    if "--pyargs" in args and asked:
        _add(parser, "--engine")


def _add(parser: pytest.Parser, name: str) -> None:
    group = parser.getgroup(PACKAGE)
    group.addoption(name, metavar="NAME", default=None, dest=DESTINATION, help="The engine to be tested.")


@pytest.fixture(scope="session")
def counterstream_engine(pytestconfig: pytest.Config) -> str | None:
    """The engine that the command line names, or None."""
    name: str | None = pytestconfig.getoption(DESTINATION)
    return name
