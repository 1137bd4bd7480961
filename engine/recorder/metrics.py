"""Metrics: a table of numbers, one row a record."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import h5py
import numpy as np

from .datasets import make_column
from .recordable import Field, Recordable, check_known, name_problems


@dataclass(frozen=True)
class Metrics(Recordable):
    """The columns of the metrics table. A record is a mapping from some of them to numbers; what is missing is NaN."""

    names: Sequence[str] = ()

    group: ClassVar[str] = "metrics"

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        return tuple(Field(path=name) for name in self.names)

    def problems(self) -> Iterator[str]:
        yield from name_problems("metric", self.names)

    def lay(self, root: h5py.Group) -> None:
        for position, name in enumerate(self.names):
            column = make_column(root, name, root["step"])
            column.attrs["position"] = np.int64(position)
            column.attrs["coordinates"] = "epoch"

    def rows(self, given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        check_known("metric", given, self.names)
        for name in self.names:
            yield name, float(given.get(name, math.nan))
