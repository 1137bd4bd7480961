"""Alignment: how feedback stands to feedforward, in numbers that the run's device has computed."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import h5py
import numpy as np

from .datasets import make_column, share
from .recordable import Field, Recordable, check_known, name_problems

OF_PROJECTIONS = ("matrix_angle", "norm_ratio")
OF_POPULATIONS = ("delta_angle", "local_angle")


@dataclass(frozen=True)
class Alignment(Recordable):
    """Angles in degrees and norm ratios: matrix_angle and norm_ratio for each projection (a mapping to the reverse that
    it is compared with), delta_angle and local_angle for each population.

    A record is a mapping from these four words to mappings from names to numbers; what is missing is NaN.
    """

    projections: Mapping[str, str] = field(default_factory=dict)
    populations: Sequence[str] = ()

    group: ClassVar[str] = "alignment"

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        pairs = [(f"projections/{name}", what) for name in self.projections for what in OF_PROJECTIONS]
        pairs += [(f"populations/{name}", what) for name in self.populations for what in OF_POPULATIONS]
        return tuple(Field(path=f"{place}/{what}") for place, what in pairs)

    def problems(self) -> Iterator[str]:
        yield from name_problems("projection", self.projections)
        yield from name_problems("population", self.populations)

    def lay(self, root: h5py.Group) -> None:
        for kind in ("projections", "populations"):
            share(root.create_group(kind), root)
        for position, (name, reverse) in enumerate(self.projections.items()):
            _lay(root["projections"], name, OF_PROJECTIONS, position, {"reverse": reverse})
        for position, name in enumerate(self.populations):
            _lay(root["populations"], name, OF_POPULATIONS, position, {})

    def rows(self, given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        check_known("alignment", given, (*OF_PROJECTIONS, *OF_POPULATIONS))
        for kind, names, words in (
            ("projection", self.projections, OF_PROJECTIONS),
            ("population", self.populations, OF_POPULATIONS),
        ):
            for what in words:
                values = given.get(what, {})
                check_known(kind, values, names)
                for name in names:
                    yield f"{kind}s/{name}/{what}", float(values.get(name, math.nan))


def _lay(root: h5py.Group, name: str, words: Sequence[str], position: int, attributes: Mapping[str, str]) -> None:
    group = root.create_group(name)
    share(group, root)
    for what in words:
        column = make_column(group, what, root["step"])
        if what.endswith("_angle"):
            column.attrs["units"] = "degree"
        column.attrs["position"] = np.int64(position)
        column.attrs["coordinates"] = "epoch"
        for key, value in attributes.items():
            column.attrs[key] = value
