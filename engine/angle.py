"""The angle between two arrays as vectors."""

import numpy as np
from numpy.typing import NDArray


def angle(a: NDArray[np.generic], b: NDArray[np.generic]) -> float:
    """Degrees between two arrays as vectors, 2 atan2(|u - v|, |u + v|) of unit vectors: exact also at 0, where acos is
    not. NaN where one of them is 0."""
    u, v = a.astype(np.float64).ravel(), b.astype(np.float64).ravel()
    length_u, length_v = np.linalg.norm(u), np.linalg.norm(v)
    if length_u == 0 or length_v == 0:
        return float("nan")
    u, v = u / length_u, v / length_v
    return float(np.degrees(2 * np.arctan2(np.linalg.norm(u - v), np.linalg.norm(u + v))))
