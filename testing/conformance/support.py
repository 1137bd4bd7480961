"""The support table: what engines support, as a run of the suite found it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import cast

import pytest

PROPERTY = "counterstream support"
"""Under this name a test says where its outcome belongs: (kind, name, engine, dtype)."""

HEADINGS = {
    "operations": "Operations",
    "learning systems": "Learning systems",
    "stock circuits": "Stock circuits",
}


@dataclass
class Cell:
    """What was found about one thing on one engine: by dtype, whether all its tests passed."""

    passed: dict[str, bool] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)

    def add(self, dtype: str, passed: bool, reason: str) -> None:
        self.passed[dtype] = self.passed.get(dtype, True) and passed
        if reason and reason not in self.reasons:
            self.reasons.append(reason)


class SupportTable:
    """A pytest plug-in that gathers outcomes and writes the table when all tests have been run."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        self.engines: list[str] = []
        self.rows: dict[str, dict[str, dict[str, Cell]]] = {kind: {} for kind in HEADINGS}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call" and not report.failed:
            return
        for key, found in report.user_properties:
            if key == PROPERTY:
                kind, name, engine, dtype = cast(tuple[str, str, str, str], found)
                if engine not in self.engines:
                    self.engines.append(engine)
                cell = self.rows[kind].setdefault(name, {}).setdefault(engine, Cell())
                cell.add(dtype, report.passed, getattr(report, "wasxfail", "") or _failed(report))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if hasattr(session.config, "workerinput"):  # a worker of xdist: its controller writes
            return
        self.path.write_text("\n".join(self._lines()) + "\n", encoding="utf-8")

    def _lines(self) -> Iterator[str]:
        """Markdown. Things in the order in which they were tested."""
        notes: list[str] = []
        command = "pytest --pyargs counterstream.testing " + " ".join(f"--engine {name}" for name in self.engines)
        yield "# What engines support"
        yield ""
        yield f"Found by the conformance suite of counterstream {version('counterstream')}, and written by it:"
        yield ""
        yield f"    {command} --support-table FILE"
        yield ""
        yield (
            "A cell holds the number formats in which every test of a row passed: equal to the reference engine within "
            "the format's tolerance. What the rows are: [writing-an-engine.md](writing-an-engine.md)."
        )
        for kind, heading in HEADINGS.items():
            if not self.rows[kind]:
                continue
            yield from ("", f"## {heading}", "", "| | " + " | ".join(self.engines) + " |")
            yield "|---" * (len(self.engines) + 1) + "|"
            for name, cells in self.rows[kind].items():
                shown = (_shown(cells.get(engine), notes) for engine in self.engines)
                yield f"| {name} | " + " | ".join(shown) + " |"
        if notes:
            yield ""
        yield from (f"{number}. {note}" for number, note in enumerate(notes, start=1))


def _failed(report: pytest.TestReport) -> str:
    return "" if report.passed else "fails, and its package does not say why"


def _shown(cell: Cell | None, notes: list[str]) -> str:
    """The dtypes that passed, and the numbers of the notes that say why others did not."""
    if cell is None:
        return "not tested"
    shown = ", ".join(dtype for dtype, passed in cell.passed.items() if passed) or "no"
    notes += [reason for reason in cell.reasons if reason not in notes]
    numbers = ", ".join(str(notes.index(reason) + 1) for reason in cell.reasons)
    return f"{shown} ({numbers})" if numbers else shown
