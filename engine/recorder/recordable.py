"""What can be recorded: the part that weights, signals, alignment and metrics have in common."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import h5py

from ...circuits.errors import suggest
from .precision import Precision

RESERVED = frozenset({"step", "epoch"})  # the coordinates stand beside what is recorded


class Misfit(Exception):
    """Values that are not what was enrolled. The recorder adds the file's name."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """A dataset that grows by one row a record: its path below the group, and a row's shape and precision."""

    path: str
    shape: tuple[int, ...] = ()
    precision: Precision = "float64"


class Recordable(ABC):
    """One of the four groups of a file.

    1. `problems` names whatever keeps it from being recorded.
    2. `lay` makes its datasets, empty, in its group, which holds the index already.
    3. `fields` are the datasets that grow, in the order of the forward pass.
    4. `rows` takes what a run hands over at one instant and gives every field's path and row. Arrays are checked and
       given one by one, so that a mapping may make each of them when it is asked for.
    """

    group: ClassVar[str]
    staged: ClassVar[bool] = False
    """Whether rows are arrays that wait in preallocated buffers, rather than numbers."""

    @abstractmethod
    def problems(self) -> Iterator[str]: ...

    @abstractmethod
    def lay(self, root: h5py.Group) -> None: ...

    @property
    @abstractmethod
    def fields(self) -> tuple[Field, ...]: ...

    @abstractmethod
    def rows(self, given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]: ...


def name_problems(kind: str, names: Iterable[str], reserved: Collection[str] = RESERVED) -> Iterator[str]:
    """Names stand verbatim: HDF5 allows all but "/" and NUL in a link, and "." names the group itself."""
    for name, count in Counter(list(names)).items():
        if not name or name == "." or "/" in name or "\0" in name:
            yield f"{kind} {name!r}: a recorded name must not be empty or '.', nor hold '/' or NUL. Rename it"
        elif name in reserved:
            yield f"{kind} {name!r}: the recording keeps this name for its own coordinate. Rename it"
        if count > 1:
            yield f"{kind} {name!r}: recorded names must be unique (got it {count} times)"


def check_known(kind: str, given: Iterable[str], enrolled: Collection[str]) -> None:
    """Raises Misfit for the first name that was not enrolled, with the nearest that was."""
    for name in given:
        if name not in enrolled:
            raise Misfit(f"{kind} {name!r} is not enrolled. {suggest(name, enrolled)}")
