"""The number formats that arrays are stored in.

float16 overflows to infinity beyond 65504. bfloat16, which neither NumPy nor HDF5 knows, is stored as its 16
bits in a uint16, that is, the upper half of a float32.
"""

from typing import Literal, get_args

import numpy as np

Precision = Literal["float64", "float32", "float16", "bfloat16"]
BFLOAT16_NAN = 0x7FC0
PRECISIONS: tuple[str, ...] = get_args(Precision)


def storage_dtype(precision: Precision) -> np.dtype:
    """The little-endian dtype of a dataset of this precision."""
    return np.dtype("<u2") if precision == "bfloat16" else np.dtype(precision).newbyteorder("<")


def staging_dtype(precision: Precision) -> np.dtype:
    """The dtype in which arrays wait for the writer: rounding to fewer bits is its work, not the training thread's."""
    return np.dtype(np.float64 if precision == "float64" else np.float32)


def missing(precision: Precision) -> float | int:
    """What a reader finds where nothing was written: NaN, never a number that could pass for a weight."""
    return BFLOAT16_NAN if precision == "bfloat16" else float("nan")


def stored(values: np.ndarray, precision: Precision) -> np.ndarray:
    """`values` as they stand in a dataset of this precision, rounded to nearest even."""
    if precision == "bfloat16":
        return bfloat16_bits(values)
    with np.errstate(over="ignore"):  # a weight beyond float16 is stored as infinity and thereby visible
        return values.astype(storage_dtype(precision), copy=False)


def bfloat16_bits(values: np.ndarray) -> np.ndarray:
    """The bits of the nearest bfloat16 (ties to even) as uint16; every NaN becomes 0x7FC0."""
    single = np.ascontiguousarray(values, dtype=np.float32)
    bits = single.view(np.uint32)
    rounded = (bits + (0x7FFF + ((bits >> 16) & 1))) >> 16
    return np.where(np.isnan(single), np.uint32(BFLOAT16_NAN), rounded).astype(np.uint16)
