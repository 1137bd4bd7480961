"""Weight changes, sign agreement and spectra of recordings whose weights are known."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterstream.analysis import (
    AnalysisError,
    Run,
    angle_degrees,
    sign_agreement,
    singular_spectra,
    subspace_overlap,
    weight_changes,
)
from counterstream.analysis.spectra import _principal

from .recordings import at_angle, pair, record


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """W goes straight on, then turns by 30 degrees; B moves at 50 degrees to it, then rests."""
    random = np.random.default_rng(3)
    w, b, first = random.normal(size=(3, 6, 5))
    second, other = at_angle(first, 30, random), at_angle(first, 50, random)
    path = pair(tmp_path / "run.h5", [w, w + first, w + first + 2 * second], [b, b + 3 * other, b + 3 * other])
    return Run.open(path)


def test_changes_are_those_made(run: Run) -> None:
    table = weight_changes(run)
    lengths = table["change_forward"].tolist()
    assert table[["snapshot", "since"]].values.tolist() == [[1, 0], [2, 1]]
    assert lengths[1] == pytest.approx(2 * lengths[0])
    assert table["change_reverse"].tolist() == pytest.approx([3 * lengths[0], 0])
    assert table["angle_degrees"][0] == pytest.approx(50, abs=1e-6)
    assert math.isnan(table["angle_degrees"][1])
    assert table["turn_forward"][1] == pytest.approx(30, abs=1e-6)
    assert table[["turn_forward", "turn_reverse"]].isna().values.tolist() == [[True, True], [False, True]]


def test_changes_between_chosen_snapshots(run: Run) -> None:
    table = weight_changes(run, [0, -1])
    whole = run.weights("p", 2) - run.weights("p", 0)
    assert table["change_forward"].tolist() == pytest.approx([np.linalg.norm(whole)])
    assert table["since"].tolist() == [0]


def test_changes_without_a_reverse(tmp_path: Path) -> None:
    with Run.open(record(tmp_path / "run.h5", curve=None, epochs=2)) as run:
        table = weight_changes(run)
    assert len(table) == 12
    assert table["change_reverse"].isna().all()
    assert (table["change_forward"] > 0).all()


@given(st.integers(0, 2**32 - 1), st.integers(0, 40))
@settings(max_examples=15, deadline=None)
def test_flipping_a_sign_changes_the_agreement_by_one_synapse(
    tmp_path_factory: pytest.TempPathFactory, seed: int, flips: int
) -> None:
    random = np.random.default_rng(seed)
    w = random.normal(size=(8, 5))
    b = 3 * w
    b.ravel()[random.permutation(40)[:flips]] *= -1
    with Run.open(pair(tmp_path_factory.mktemp("signs") / "run.h5", w, b)) as run:
        assert sign_agreement(run)["sign_agreement"].item() == pytest.approx(1 - flips / 40)


def test_zeros_agree_with_zeros_alone(tmp_path: Path) -> None:
    w, b = np.array([[0.0, 0.0, 1.0, -0.0]]), np.array([[0.0, 1.0, 0.0, 0.0]])
    with Run.open(pair(tmp_path / "run.h5", w, b)) as run:
        assert sign_agreement(run)["sign_agreement"].item() == 0.5


def test_spectra_are_those_planted(tmp_path: Path) -> None:
    """A kernel is one matrix [out, in * rows * columns]."""
    random = np.random.default_rng(0)
    u, v = (np.linalg.qr(random.normal(size=(n, 4)))[0] for n in (6, 18))
    w = (u * [8, 4, 2, 1]) @ v.T
    b = (u * [1, 1, 1, 3]) @ v.T
    with Run.open(pair(tmp_path / "run.h5", w.reshape(6, 2, 3, 3), b.reshape(6, 2, 3, 3))) as run:
        table = singular_spectra(run)
        overlap = subspace_overlap(run, ranks=(1, 4, 7))
    forward, reverse = (table[table["side"] == side]["singular_value"].to_numpy() for side in ("forward", "reverse"))
    np.testing.assert_allclose(forward, [8, 4, 2, 1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(reverse, [3, 1, 1, 1, 0, 0], atol=1e-12)
    assert overlap["rank"].tolist() == [1, 4]
    np.testing.assert_allclose(overlap["overlap_out"], [0, 1], atol=1e-12)  # the first of B is the fourth of W
    np.testing.assert_allclose(overlap["largest_angle_in"], [90, 0], atol=1e-6)


@pytest.mark.parametrize("degrees", [0, 1e-7, 20, 90])
def test_the_largest_principal_angle_keeps_its_digits(degrees: float) -> None:
    basis = np.eye(5)
    turned = np.cos(np.radians(degrees)) * basis[:, 1] + np.sin(np.radians(degrees)) * basis[:, 2]
    overlap, largest = _principal(basis[:, :2], np.stack([basis[:, 0], turned], axis=1))
    assert largest == pytest.approx(degrees, rel=1e-6, abs=1e-12)
    assert overlap == pytest.approx((1 + np.cos(np.radians(degrees)) ** 2) / 2)


def test_spectra_of_named_projections(tmp_path: Path) -> None:
    with Run.open(record(tmp_path / "run.h5", curve=lambda e, d: 40.0, epochs=1)) as run:
        assert singular_spectra(run, [0], ["pooled->digit"])["projection"].unique().tolist() == ["pooled->digit"]
        with pytest.raises(AnalysisError, match="Did you mean 'pooled->digit'"):
            singular_spectra(run, [0], ["pooled->digits"])


def test_a_change_is_the_difference_of_what_is_stored(run: Run) -> None:
    """The streamed angle against the formula on whole arrays."""
    w, b = (run.weights(name, 1) - run.weights(name, 0) for name in ("p", "p~"))
    assert weight_changes(run)["angle_degrees"][0] == pytest.approx(angle_degrees(w, b), abs=1e-6)
