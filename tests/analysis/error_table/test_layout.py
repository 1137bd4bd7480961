"""How the table looks, what is said below it, and what others reported beside."""

from pathlib import Path

import pandas as pd
import pytest

from counterstream.analysis.error_table import columns, error_table, frame, lines, markdown, notes, published

from .runs import circuit, run

IMAGENET = {"text": circuit("backprop", classes=1000, size=224), "batch": 256, "steps": 5004}  # 5004 x 256 = 1,281,024


def test_the_papers_figures_are_marked_and_stand_below(tmp_path: Path) -> None:
    table = error_table([run(tmp_path / "a.h5", learning="kolen_pollack", error=40.0)])
    assert columns(table) == ["network", "BP", "WM", "KP", "SS", "FA"]
    assert lines(table) == [
        ("resnet18", "-", "-", "40.0 (1)", "-", "-"),
        ("  Akrout et al. 2019 [p]", "30.1", "30.2", "29.2", "39.2", "97.4"),
        ("  BioTorch [c]", "30.39", "-", "-", "34.97", "85.25"),
    ]
    below = "\n".join(notes(table))
    assert "Akrout et al. 2019 [p]: the paper's claim as summarised elsewhere, not checked against its text." in below


def test_every_published_figure_is_an_error_in_percent_with_mark_and_source() -> None:
    assert {line.network for line in published()} == {"resnet18", "resnet50"}
    for line in published():
        assert all(0 < error < 100 for error in line.errors.values())
        assert line.mark in ("p", "c")
        assert "arXiv" in line.citation
        assert line.network in line.circuits


def test_a_network_that_nobody_reported_stands_alone(tmp_path: Path) -> None:
    table = error_table([run(tmp_path / "a.h5", name="lenet", learning="mine")])
    assert columns(table) == ["network", "mine"]
    assert lines(table) == [("lenet", "30.0 (1)")]
    assert not any("reported" in note for note in notes(table))


@pytest.mark.parametrize(
    ("settings", "comparable"),
    [
        (IMAGENET, True),
        (IMAGENET | {"steps": 5003}, False),
        (IMAGENET | {"steps": 4965, "data": {"imagenet": {"folder": "/data", "validation": 10000}}}, True),
        (IMAGENET | {"steps": 5005}, False),
        (IMAGENET | {"text": circuit("backprop", classes=100, size=224)}, False),
        ({}, False),
    ],
)
def test_what_is_no_imagenet_by_numbers_is_told(tmp_path: Path, settings: dict, comparable: bool) -> None:
    below = notes(error_table([run(tmp_path / "a.h5", **settings)]))
    assert any("cannot be compared" in note for note in below) is not comparable


def test_top5_errors_stand_alone(tmp_path: Path) -> None:
    import h5py

    from counterstream.analysis import Run

    run(tmp_path / "a.h5", error=30.0).close()
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        file["results"].attrs["test_top5_accuracy"] = 0.9
    table = error_table([Run.open(tmp_path / "a.h5"), run(tmp_path / "b.h5", seed=1)], top=5)
    assert lines(table) == [("resnet18", "10.0 (1)")]
    assert notes(table)[0].startswith("Top-5 test error")
    assert "it records no test_top5_accuracy" in notes(table)[-1]


def test_each_row_says_what_it_was_trained_on(tmp_path: Path) -> None:
    data = {"imagenet": {"folder": "/data/imagenet"}}
    below = notes(error_table([run(tmp_path / "a.h5", data=data, **IMAGENET)]))
    assert (
        "resnet18: imagenet (/data/imagenet), about 1,281,024 training images, 1,000 classes, 1 x 224 x 224, "
        "2 epochs, batch 256."
    ) in below


def test_markdown_has_a_cell_for_each_column(tmp_path: Path) -> None:
    text = markdown(error_table([run(tmp_path / "a.h5", name="a|b", learning="x|y")]))
    drawn = [line for line in text.splitlines() if line.startswith("|")]
    assert drawn == ["| network | x\\|y |", "| --- | ---: |", "| a\\|b | 30.0 (1) |"]


def test_the_long_form_has_a_line_for_each_figure(tmp_path: Path) -> None:
    table = error_table([run(tmp_path / f"{seed}.h5", seed=seed, error=30.0 + seed) for seed in range(2)])
    found = frame(table)
    own = found[found["source"] == "runs"]
    assert own[["circuit", "system", "n", "seeds"]].to_numpy().tolist() == [["resnet18", "backprop", 2, "0 1"]]
    assert own["error"].tolist() == [pytest.approx(30.5)]
    papers = found[found["source"] == "Akrout et al. 2019"]
    assert len(papers) == 5
    assert set(papers["mark"]) == {"p"}
    assert pd.isna(papers["spread"]).all()


def test_texts_that_are_no_yaml_do_no_harm(tmp_path: Path) -> None:
    table = error_table([run(tmp_path / "a.h5", text="[unclosed")])
    assert [note for note in notes(table) if note.startswith("resnet18: digits")]
