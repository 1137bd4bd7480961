"""Figures: every kind of system, every format, neither blank nor a blot."""

from pathlib import Path

import h5py
import pytest
from matplotlib.image import imread

from counterstream.analysis import (
    AnalysisError,
    Run,
    angles_over_training,
    depth_profiles,
    error_over_training,
    spectra_of_layers,
)
from counterstream.analysis.figures.style import spread_apart

from .recordings import begun, record

OF_SYSTEMS = (angles_over_training, error_over_training, depth_profiles)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Run]]:
    folder = tmp_path_factory.mktemp("figures")
    paths = {
        "Kolen-Pollack": [record(folder / f"{s}.h5", curve=lambda e, d: 90 - e, seed=s) for s in (0, 1)],
        "backprop": [record(folder / "bp.h5", curve=lambda e, d: 0.0, transports=True, version=1)],
        "direct": [record(folder / "dfa.h5", curve=None)],
    }
    return {system: [Run.open(path) for path in members] for system, members in paths.items()}


@pytest.mark.parametrize("draw", OF_SYSTEMS)
def test_figures_of_systems_are_drawn(runs: dict[str, list[Run]], tmp_path: Path, draw: object) -> None:
    _check(draw(runs, tmp_path / "figures" / "figure.png"))  # type: ignore[operator]


def test_the_spectra_of_a_run_are_drawn(runs: dict[str, list[Run]], tmp_path: Path) -> None:
    _check(spectra_of_layers(runs["Kolen-Pollack"][0], tmp_path / "figure.png"))
    _check(spectra_of_layers(runs["direct"][0], tmp_path / "few.png", ["pooled->digit"]))


@pytest.mark.parametrize(("ending", "start"), [("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_vector_formats_are_the_same_each_time(
    runs: dict[str, list[Run]], tmp_path: Path, ending: str, start: bytes
) -> None:
    first, second = (error_over_training(runs, tmp_path / f"{name}.{ending}").read_bytes() for name in "ab")
    assert first.startswith(start)
    assert first == second


def test_validation_errors_have_a_panel(tmp_path: Path) -> None:
    path = record(tmp_path / "run.h5", curve=lambda e, d: 40.0)
    with h5py.File(path, "r+") as file:
        file["metrics"].copy("accuracy", "validation_accuracy")
    with Run.open(path) as run:
        _check(error_over_training({"kp": [run]}, tmp_path / "figure.png"))


@pytest.mark.parametrize("draw", OF_SYSTEMS)
def test_a_run_that_ended_before_its_first_record_gives_empty_panels(tmp_path: Path, draw: object) -> None:
    begun(tmp_path / "run.h5", status="failed").close()
    with Run.open(tmp_path / "run.h5") as run:
        assert draw({"kp": [run]}, tmp_path / "figure.png").exists()  # type: ignore[operator]


@pytest.mark.parametrize("draw", OF_SYSTEMS)
def test_a_figure_of_another_kind_is_refused(tmp_path: Path, draw: object) -> None:
    with pytest.raises(AnalysisError, match=r"must end in \.png, \.pdf, \.svg \(got '\.jpeg'\)"):
        draw({}, tmp_path / "figure.jpeg")  # type: ignore[operator]
    with pytest.raises(AnalysisError, match="there is no run to draw"):
        draw({"kp": []}, tmp_path / "figure.png")  # type: ignore[operator]


def test_labels_keep_their_distance_and_their_order() -> None:
    assert spread_apart([5, 0, 5.5], 2) == [5, 0, 7]
    assert spread_apart([], 2) == []


def _check(path: Path) -> None:
    """Something is drawn, on mostly white paper."""
    image = imread(path)
    assert image.shape[1] > 800
    assert 0.01 < (image[..., :3].mean(axis=2) < 0.95).mean() < 0.5
