"""Data sets: `digits`, built in; `npz`, the user's own arrays; `imagenet`, images in folders. New ones: a file each."""

from .arrays import npz
from .batches import order, probe_indices, steps_per_epoch, training_batches
from .dataset import Batch, DataError, Dataset, Draw, Split, check_fit
from .digits import digits
from .in_memory import InMemory
from .source import DataSource
from .sources import SOURCES, Data
from .stratified import stratified

__all__ = [
    "SOURCES",
    "Batch",
    "Data",
    "DataError",
    "DataSource",
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
