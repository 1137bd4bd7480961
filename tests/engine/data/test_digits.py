"""The digits: real, split once and for all, standardised by what is trained on."""

import hashlib

import numpy as np
import pytest

from counterstream.engine.data import DataError, digits, stratified


def test_sizes_shapes_and_types() -> None:
    data = digits()
    assert (len(data.train), len(data.test), data.validation) == (1437, 360, None)
    assert data.shape == (1, 8, 8)
    assert data.classes == 10
    assert data.train.images.dtype == np.float32
    assert data.train.labels.dtype == np.int64


def test_the_split_never_changes() -> None:
    """Accuracies of different versions can be compared only as long as the same images test them."""
    labels = digits().test.labels.tobytes()
    assert hashlib.sha256(labels).hexdigest()[:16] == "08619f706911b413"
    first, second = digits(), digits()
    assert np.array_equal(first.train.images, second.train.images)


def test_every_class_keeps_its_share() -> None:
    data = digits()
    shares = np.bincount(data.test.labels) / np.bincount(np.concatenate([data.train.labels, data.test.labels]))
    assert shares == pytest.approx(360 / 1797, abs=0.006)


def test_standardised_by_the_training_images_alone() -> None:
    data = digits(validation=180)
    assert data.train.images.mean() == pytest.approx(0, abs=1e-6)
    assert data.train.images.std() == pytest.approx(1, abs=1e-6)
    assert abs(float(data.test.images.mean())) > 1e-6


def test_validation_is_cut_from_the_training_images() -> None:
    whole, cut = digits(), digits(validation=180)
    assert cut.validation is not None
    assert (len(cut.train), len(cut.validation)) == (1257, 180)
    assert np.array_equal(whole.test.labels, cut.test.labels)
    together = np.concatenate([cut.train.labels, cut.validation.labels])
    assert np.array_equal(np.bincount(together), np.bincount(whole.train.labels))


def test_validation_must_leave_something_to_train_on() -> None:
    with pytest.raises(DataError, match=r"validation must be between 0 and 1436 samples \(got 1437\)"):
        digits(validation=1437)


def test_stratified_takes_exactly_what_is_asked() -> None:
    labels = np.repeat([0, 1, 2], [5, 3, 3])
    rest, chosen = stratified(labels, 4, seed=3)
    assert sorted([*rest, *chosen]) == list(range(11))
    assert np.bincount(labels[chosen]).tolist() == [2, 1, 1]


def test_stratified_refuses_more_than_there_is() -> None:
    with pytest.raises(ValueError, match=r"between 0 and 3 \(got 4\)"):
        stratified(np.array([0, 1, 1]), 4, seed=0)
