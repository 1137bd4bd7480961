"""Which runs stand in one row, which in one cell, and which nowhere."""

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterstream.analysis import Run
from counterstream.analysis.error_table import Cell, ErrorTable, Row, error_table

from .runs import circuit, claim, run


def rows(table: ErrorTable) -> list[Row]:
    return [row for block in table.blocks for row in block.rows]


def only(table: ErrorTable) -> Row:
    (row,) = rows(table)
    return row


def test_seeds_of_a_system_are_a_cell(tmp_path: Path) -> None:
    found = [run(tmp_path / f"{seed}.h5", seed=seed, error=error) for seed, error in ((0, 30.0), (2, 31.0), (1, 32.0))]
    cell = only(error_table(found)).cells["BP"]
    assert list(cell.errors) == [0, 1, 2]
    assert (cell.mean, cell.spread) == (pytest.approx(31), pytest.approx(1))
    assert str(cell) == "31.0 ± 1.0 (3)"


@given(st.lists(st.floats(0, 100), min_size=2, max_size=6), st.floats(-10, 10))
def test_a_cell_moves_with_its_errors(errors: list[float], shift: float) -> None:
    cell, moved = (
        Cell(system="s", label="s", errors={seed: value + by for seed, value in enumerate(errors)})
        for by in (0.0, shift)
    )
    assert moved.mean == pytest.approx(cell.mean + shift, abs=1e-9)
    assert moved.spread == pytest.approx(cell.spread, abs=1e-6)


def test_one_seed_has_no_spread(tmp_path: Path) -> None:
    cell = only(error_table([run(tmp_path / "a.h5")])).cells["BP"]
    assert math.isnan(cell.spread)
    assert str(cell) == "30.0 (1)"


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"learning": "kolen_pollack"}, id="another system"),
        pytest.param({"learning": "weight_mirror", "modes": {"mirror": {"every": 2}}}, id="a mode of its own"),
        pytest.param({"name": "resnet18", "record": {"probe": 8}, "device": "cuda", "threads": 4}, id="elsewhere"),
        pytest.param({"data": "digits", "seed": 3, "seeds": [3]}, id="another seed"),
    ],
)
def test_what_may_differ_in_a_row(tmp_path: Path, settings: dict[str, Any]) -> None:
    assert not only(error_table([run(tmp_path / "a.h5"), run(tmp_path / "b.h5", **settings)])).apart


def test_who_fetched_the_images_does_not_matter(tmp_path: Path) -> None:
    data = [{"imagenet": {"folder": "/data", "workers": workers}} for workers in (2, 8)]
    found = [run(tmp_path / f"{seed}.h5", seed=seed, data=each) for seed, each in enumerate(data)]
    assert len(only(error_table(found)).cells["BP"].errors) == 2


@pytest.mark.parametrize(
    ("settings", "apart"),
    [
        ({"epochs": 90}, ("epochs=2", "epochs=90")),
        ({"data": {"npz": {"file": "a.npz"}}}, ("data=digits, data.npz.file=none", "data=none, data.npz.file=a.npz")),
        ({"parameters": {"decay": 0.1}}, ("parameters.decay=0.02", "parameters.decay=0.1")),
        ({"text": circuit("backprop", channels=5)}, ("network 1", "network 2")),
        ({"batch": 1, "epochs": 1, "dtype": "bfloat16", "options": {"width": 2}},
         ("batch=64, epochs=2, dtype=none and 1 more setting",
          "batch=1, epochs=1, dtype=bfloat16 and 1 more setting")),
    ],
)  # fmt: skip
def test_other_rows_are_named_by_what_sets_them_apart(
    tmp_path: Path, settings: dict[str, Any], apart: tuple[str, str]
) -> None:
    found = error_table([run(tmp_path / "a.h5"), run(tmp_path / "b.h5", learning="kolen_pollack", **settings)])
    assert tuple(row.apart for row in rows(found)) == apart
    assert [list(row.cells) for row in rows(found)] == [["BP"], ["KP"]]


def test_rows_of_a_circuit_stand_together(tmp_path: Path) -> None:
    made = [("resnet18", 2), ("resnet50", 2), ("resnet18", 90)]
    found = [run(tmp_path / f"{number}.h5", name=n, epochs=e) for number, (n, e) in enumerate(made)]
    assert [(block.circuit, len(block.rows)) for block in error_table(found).blocks] == [
        ("resnet18", 2),
        ("resnet50", 1),
    ]


def test_variants_of_a_system_stand_side_by_side(tmp_path: Path) -> None:
    made: list[dict[str, Any]] = [{}, {"modes": {"mirror": {"every": 4}}}, {"text": circuit("changed by hand")}]
    found = [run(tmp_path / f"{number}.h5", learning="weight_mirror", **more) for number, more in enumerate(made)]
    row = only(error_table(found))
    assert list(row.cells) == ["WM", "WM (2)", "WM (3)"]
    assert row.variants["WM (2)"] == "modes.mirror.every=4"
    two = only(error_table([found[0], found[2]]))
    assert two.variants["WM (2)"] == "other rules or parameters"


def test_a_seed_counts_once_and_the_newer_run_of_it(tmp_path: Path) -> None:
    new = run(tmp_path / "new.h5", created="2026-11-02", error=20)
    old = run(tmp_path / "old.h5", created="2026-11-01", error=90)
    table = error_table([new, old, new])
    assert only(table).cells["BP"].errors == {0: pytest.approx(20)}
    (left,) = table.left_out
    assert (left.path.name, left.reason) == ("old.h5", f"seed 0 ran again: {new.path} is newer")


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"status": "running"}, "not finished: running"),
        ({"status": "failed", "message": "the loss must stay finite\nmore"},
         "not finished: failed (the loss must stay finite)"),
        ({"error": None}, "it records no test_accuracy"),
        ({"error": math.nan}, "its test_accuracy is nan"),
    ],
)  # fmt: skip
def test_what_does_not_count_is_named(tmp_path: Path, settings: dict[str, Any], reason: str) -> None:
    message = settings.pop("message", "")
    run(tmp_path / "a.h5", **settings).close()
    claim(tmp_path / "a.h5", message=message)
    table = error_table([Run.open(tmp_path / "a.h5")])
    assert not table.blocks
    assert [left.reason for left in table.left_out] == [reason]
