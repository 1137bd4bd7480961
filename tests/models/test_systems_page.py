"""docs/systems.md has a row for every stock system, and says of its transport what the check says."""

from pathlib import Path

import pytest

import counterstream as cs
from counterstream.models import stock_learning

PAGE = Path(__file__).parents[2] / "docs" / "systems.md"


def tables() -> list[dict[str, list[str]]]:
    """System -> the cells of its row, for each table of the page."""
    found: list[dict[str, list[str]]] = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("| system"):
            found.append({})
        elif line.startswith("| ") and found and not line.startswith("| ---"):
            name, *cells = (cell.strip() for cell in line.strip("|").split("|"))
            found[-1][name] = cells
    return found


def test_every_system_has_a_row_in_every_table() -> None:
    assert tables()
    for table in tables():
        assert table.keys() == stock_learning().keys(), "run: python benchmarks/systems_table.py --into docs/systems.md"


@pytest.mark.parametrize("system", stock_learning())
def test_what_it_transports(system: str) -> None:
    transports = cs.check(cs.load("plain_cnn", learning=system)).transports_weights
    for table in tables():
        assert (table[system][0] != "no") == transports
