"""Who is tested: every test that takes `candidate`, `fine` or `widest` runs for each engine that the command line
names. What an engine declares as failing is expected to fail, strictly."""

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from ...engine.backends import load_engine
from ..plugin import ENGINES, option
from .candidate import FINE, Candidate, dtypes_of, widest
from .support import PROPERTY

SUITE = frozenset(path.stem for path in Path(__file__).parent.glob("test_*.py"))


def candidates(config: pytest.Config, which: str) -> list[Candidate]:
    """`candidate`: every precision of every engine; `fine`: those in which runs are compared number by number;
    `widest`: one precision an engine. Raises CollectError unless an engine was named."""
    engines, device = option(config, ENGINES), option(config, "device")
    if not engines:
        raise pytest.Collector.CollectError("counterstream.testing.conformance tests an engine: name it, --engine NAME")
    found: list[Candidate] = []
    for engine in engines:
        best = widest(engine, device)
        several = [Candidate(engine, dtype, device) for dtype in dtypes_of(engine, device)]
        kept = {"candidate": several, "fine": [one for one in several if one.dtype in FINE] or [best], "widest": [best]}
        found += kept[which]
    return found


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for which in ("candidate", "fine", "widest"):
        if which in metafunc.fixturenames:
            metafunc.parametrize(which, candidates(metafunc.config, which), ids=str)


@pytest.fixture
def row(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> Callable[[str, str], None]:
    """Says in which row of the support table the outcome of this test belongs: a kind of thing, and its name."""
    candidate = next(value for value in request.node.callspec.params.values() if isinstance(value, Candidate))
    return lambda kind, name: record_property(PROPERTY, (kind, name, candidate.engine, candidate.dtype))


@pytest.fixture(scope="session")
def drawn(pytestconfig: pytest.Config) -> settings:
    """How random examples are drawn: the same at every run, so that what is expected to fail does so."""
    return settings(
        max_examples=option(pytestconfig, "examples"),
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


# ---- expected failures


@pytest.hookimpl(tryfirst=True)  # before -k leaves anything out
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    whole = {item.path.stem for item in items} >= SUITE
    ours = [(item, _candidate(item)) for item in items if isinstance(item, pytest.Function)]
    for engine in dict.fromkeys(option(config, ENGINES) or ()):
        declared = load_engine(engine, device=option(config, "device")).expected_failures
        _expect_failures(engine, declared, [item for item, one in ours if one and one.engine == engine], whole=whole)


def _candidate(item: pytest.Function) -> Candidate | None:
    params = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return next((value for value in params if isinstance(value, Candidate)), None)


def _expect_failures(
    engine: str, declared: Mapping[str, str], items: Iterable[pytest.Function], *, whole: bool
) -> None:
    """Mark what the engine declares. Raises UsageError for what names no test, where the whole suite is run."""
    names = {item: item.name.replace(f"[{engine}-", "[", 1) for item in items}
    for pattern, reason in declared.items():
        meant = re.compile(".*".join(map(re.escape, pattern.split("*"))))
        matching = [item for item, name in names.items() if meant.fullmatch(name)]
        for item in matching:
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))
        if whole and not matching:
            raise pytest.UsageError(
                f"engine '{engine}': the expected failure '{pattern}' must name a test of the suite. Drop it, or name "
                "a test as pytest prints it, without the engine's name: test_operation[float32-angle]"
            )
