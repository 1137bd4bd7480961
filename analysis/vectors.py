"""How pairs of recorded arrays stand to each other as vectors: lengths, angle, difference, from a stream of pieces."""

import math
from collections.abc import Sequence

import numpy as np

from .run import Run
from .streaming import Task

FEW = 1 << 16  # arrays of fewer values are summed in float64 throughout
GROUP = 256  # others: products of float32 in groups of this many, the groups' sums in float64
GROUP_ERROR = 2e-6  # the relative error of such a sum over n values is at most about this over sqrt(n)
ROUNDING = 1e-15  # that of a sum in float64
TOLERANCE = 1.5e-8  # radians: where an angle's error may be larger, the pair is read again and summed in float64
BLOCK = 1 << 14  # values in float64 that stay in the second-level cache

Place = tuple[str, int]  # (projection, row)


def compare(run: Run, pairs: Sequence[tuple[Place, Place]]) -> "list[Standing]":
    """How each pair of recorded arrays stands, as if computed in float64: angles to 1e-6 degrees."""
    exact = {pair: math.prod(run.synapse(pair[0][0]).shape) < FEW for pair in pairs}
    stands = [task.total for task in run.stream([Task(pair, Standing(exact=exact[pair])) for pair in pairs])]
    doubtful = [index for index, stand in enumerate(stands) if stand.doubtful]
    again = [Task(pairs[index], Standing(exact=True, scale=stands[index].best_scale)) for index in doubtful]
    for index, task in zip(doubtful, run.stream(again), strict=True):
        stands[index] = task.total
    return stands


class Standing:
    """|W|^2, |B|^2 and |W - c B|^2, and what follows from them.

    With c = |W| / |B| (negative where the two point apart) the chord |W/|W| - B/|B||^2 is |W - c B|^2 / |W|^2: it keeps
    its digits where the angle is small, in which the scalar product loses them. c need not be exact, since
    |W - c B|^2 = |W|^2 + c^2 |B|^2 - 2 c W.B holds for any; it is taken from the first piece.
    """

    def __init__(self, *, exact: bool, scale: float | None = None):
        self._exact = exact
        self._scale = scale
        self._count = 0
        self._ww = self._bb = self._dd = 0.0

    def add(self, w: np.ndarray, b: np.ndarray) -> None:
        self._exact = self._exact or w.dtype == np.float64
        step, dtype = (BLOCK, np.float64) if self._exact else (len(w), np.float32)
        self._count += len(w)
        with np.errstate(over="ignore", invalid="ignore"):  # of weights that are not finite nothing follows: NaN
            for start in range(0, len(w), step):
                self._add(*(values[start : start + step].astype(dtype, copy=False) for values in (w, b)))

    def _add(self, w: np.ndarray, b: np.ndarray) -> None:
        square = _square if self._exact else _grouped_square
        ww, bb = square(w), square(b)
        if self._scale is None:
            self._scale = _scale(ww, bb, float(w @ b), w.dtype)
        if self._scale != 1:
            np.multiply(b, self._scale, out=b)
        self._ww += ww
        self._bb += bb
        self._dd += square(np.subtract(w, b, out=w))

    @property
    def lengths(self) -> tuple[float, float]:
        """|W| and |B|."""
        return math.sqrt(self._ww), math.sqrt(self._bb)

    @property
    def ratio(self) -> float:
        """|B| / |W|."""
        w, b = self.lengths
        return b / w if w else math.nan

    @property
    def difference(self) -> float:
        """|W - B|, from W - B = (W - c B) + (c - 1) B."""
        c = self._scale or 1.0
        shift = 2 * (c - 1) * (self.product - c * self._bb) + (c - 1) * (c - 1) * self._bb
        return math.sqrt(max(self._dd + shift, 0.0)) if not math.isnan(self._dd) else math.nan

    @property
    def product(self) -> float:
        """W.B."""
        c = self._scale or 1.0
        return (self._ww + c * c * self._bb - self._dd) / (2 * c)

    @property
    def angle(self) -> float:
        """In degrees; NaN where one is zero or not finite."""
        chord = self._chord()
        degrees = math.degrees(2 * math.atan2(math.sqrt(chord), math.sqrt(4 - chord)))
        return degrees if (self._scale or 1.0) > 0 else 180 - degrees

    @property
    def doubtful(self) -> bool:
        """Whether rounding may have moved the angle by more than TOLERANCE."""
        w, b = self.lengths
        b *= abs(self._scale or 1.0)
        chord = self._chord()
        if math.isnan(chord):
            return False
        relative = ROUNDING if self._exact else GROUP_ERROR / math.sqrt(self._count)
        error = relative * (self._dd + abs(w**2 - b**2)) / (w * b)  # of the chord's square, 2 - 2 cos
        sine = math.sqrt(chord * (4 - chord)) / 2
        return error > max(2 * sine, TOLERANCE) * TOLERANCE

    @property
    def best_scale(self) -> float:
        """c from all values instead of the first piece."""
        w, b = self.lengths
        return math.copysign(w / b, self.product)

    def _chord(self) -> float:
        """|W/|W| - B/|B||^2, B turned round where c is negative; from 0 to 4."""
        w, b = self.lengths
        b *= abs(self._scale or 1.0)
        if not w * b or not math.isfinite(w * b):
            return math.nan
        return min(max((self._dd - (w - b) ** 2) / (w * b), 0.0), 4.0)


def _scale(ww: float, bb: float, wb: float, dtype: np.dtype) -> float:
    """c from one piece, as a number of its precision; 1 where it is near, which saves a multiplication."""
    ratio = math.sqrt(ww / bb) if ww and bb else 1.0
    if not math.isfinite(ratio) or (abs(ratio - 1) < 0.01 and wb >= 0):
        return 1.0
    return float(dtype.type(math.copysign(ratio, wb)))


def _square(values: np.ndarray) -> float:
    return float(values @ values)


def _grouped_square(values: np.ndarray) -> float:
    """The sum of squares of float32 values: groups of products in float32 (their errors are independent, and shrink
    with the number of groups), sums of groups in float64."""
    whole = len(values) // GROUP * GROUP
    groups = values[:whole]
    sums = np.matmul(groups.reshape(-1, 1, GROUP), groups.reshape(-1, GROUP, 1))
    return float(sums.sum(dtype=np.float64)) + _square(values[whole:].astype(np.float64))
