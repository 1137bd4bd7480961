"""scikit-learn's handwritten digits: 1797 real images of 8x8 pixels in 10 classes. They ship inside
scikit-learn.

Source: E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository,
1998 (its test part).
"""

from typing import ClassVar

import numpy as np
from pydantic import Field

from .dataset import DataError, Dataset
from .in_memory import InMemory
from .source import DataSource
from .stratified import stratified

TEST_SAMPLES = 360  # 1437 are left to train on
SPLIT_SEED = 0  # of the test split: the same 360 test images in every run, whatever the run's seed
VALIDATION_SEED = 1


class Digits(DataSource):
    """scikit-learn's handwritten digits."""

    kind: ClassVar[str] = "digits"
    about: ClassVar[str] = "1797 handwritten digits of 8x8 pixels (ships with scikit-learn): 1437 train, 360 test"

    validation: int = Field(default=0, ge=0, lt=1437, description="Samples cut from the training images.")

    def load(self) -> Dataset:
        return digits(self.validation)


def digits(validation: int = 0) -> Dataset:
    """The digits, (1, 8, 8) a sample: 1437 to train on, 360 to test on, in a fixed stratified split.

    `validation` samples are cut, stratified, from the *training* images. Pixels are standardised by one mean
    and one deviation, those of the training images that remain.
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    pixels, labels = bunch.data.reshape(-1, 1, 8, 8) / 16.0, bunch.target.astype(np.int64)
    train, test = stratified(labels, TEST_SAMPLES, SPLIT_SEED)
    chosen = np.zeros(0, dtype=np.intp)
    if validation:
        if not 0 < validation < len(train):
            raise DataError(
                f"data digits: validation must be between 0 and {len(train) - 1} samples (got {validation})"
            )
        rest, chosen = stratified(labels[train], validation, VALIDATION_SEED)
        train, chosen = train[rest], train[chosen]
    mean, deviation = pixels[train].mean(), pixels[train].std()
    whole = InMemory(((pixels - mean) / deviation).astype(np.float32), labels)
    return Dataset(
        name="digits",
        classes=10,
        train=whole.select(train),
        test=whole.select(test),
        validation=whole.select(chosen) if validation else None,
    )
