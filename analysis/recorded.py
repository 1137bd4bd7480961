"""What a recording says about the things that it holds: its projections, its populations' signals, its records."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

PRECISIONS = {"float64": "<f8", "float32": "<f4", "float16": "<f2", "bfloat16": "<u2"}


@dataclass(frozen=True, kw_only=True)
class RecordedSynapse:
    """One projection's weights; `shape` is that of one snapshot, `position` the rank in the circuit."""

    projection: str
    source: str
    target: str
    role: str
    reverse_of: str | None
    tie: str | None
    rules: Mapping[str, str]
    wiring: str
    shape: tuple[int, ...]
    precision: str
    position: int


@dataclass(frozen=True, kw_only=True)
class RecordedSignal:
    """What one population did with the probe; `quantities` of rate and delta, `shape` of one sample."""

    population: str
    partner: str | None
    quantities: tuple[str, ...]
    shape: tuple[int, ...]
    position: int


@dataclass(frozen=True, kw_only=True)
class Instants:
    """The confirmed records of one group: training steps taken and epochs seen at each."""

    steps: np.ndarray
    epochs: np.ndarray

    def __len__(self) -> int:
        return len(self.steps)
