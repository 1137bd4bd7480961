"""Data sets: `digits`, built in, and `npz`, the user's own arrays. New ones: one file, and one line in SOURCES."""

from .arrays import npz
from .batches import order, probe_indices, steps_per_epoch, training_batches
from .dataset import Batch, DataError, Dataset, Draw, Split, check_fit
from .digits import digits
from .in_memory import InMemory
from .stratified import stratified

SOURCES = {
    "digits": "1797 handwritten digits of 8x8 pixels (ships with scikit-learn): 1437 train, 360 test",
    "npz": "your own arrays: x_train, y_train, x_test, y_test [, x_validation, y_validation] in a .npz file",
}

__all__ = [
    "SOURCES",
    "Batch",
    "DataError",
    "Dataset",
    "Draw",
    "InMemory",
    "Split",
    "check_fit",
    "digits",
    "npz",
    "order",
    "probe_indices",
    "steps_per_epoch",
    "stratified",
    "training_batches",
]
