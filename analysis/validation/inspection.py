"""What the groups of a recording have in common: indexes, links, attributes, axes, columns, arrays."""

from collections.abc import Mapping, Sequence
from typing import Any

import h5py
import numpy as np

from .. import guard
from ..errors import Damage
from ..ranges import Ranges
from ..store import Store
from . import attributes
from .attributes import Wanted
from .compressed import check_compressed
from .notes import Notes

Place = tuple[str, ...]
INDEX = ("step", "epoch")


class Inspection:
    """A file under inspection. `rows`: the confirmed ones of each group, where its index could be read."""

    def __init__(self, store: Store, version: int):
        self.store, self.version = store, version
        self.notes = Notes()
        self.rows: dict[str, int] = {}

    def index(self, group: str) -> None:
        """`step` and `epoch` of a group, and how many rows they confirm."""
        steps = self.notes.attempt(self.store.index, group, "step")
        if steps is None:
            return
        self.rows[group] = len(steps)
        if len(steps) and not (np.diff(steps) > 0).all():
            at = int(np.argmin(np.diff(steps) > 0))
            self.notes.add(f"confirmed steps must increase strictly (got {steps[at]}, {steps[at + 1]})", group, "step")
        epochs = self.notes.attempt(self.store.column, group, "epoch", rows=len(steps))
        if epochs is not None:
            if not (np.isfinite(epochs).all() and (np.diff(epochs) >= 0).all()):
                self.notes.add("epochs must be finite and never decrease", group, "epoch")
            self.axes((group, "epoch"), [(group, "step")])

    # -- names -------------------------------------------------------------------------------------------

    def members(self, *group: str, reserved: Sequence[str] = INDEX) -> list[str]:
        """The names of the groups in a group, once none is reserved and no link leads elsewhere."""
        self.links(*group)
        names = self.store.groups(*group)
        for name in sorted({*reserved}.intersection(names)):
            self.notes.add("a reserved name must not be a group", *group, name)
        return [name for name in names if name not in reserved]

    def links(self, *group: str) -> None:
        """Nothing in a group may lead to another file, or by a path."""
        item = self.store.group(*group)
        names = list[str]()
        with self.notes.noting(*group):
            names = guard.names(item)
        for name in names:
            with self.notes.noting(*group, name):
                guard.child(item, name)

    def shared(self, owner: str, *group: str, names: Sequence[str] = INDEX) -> None:
        """A group shows coordinates of its owner: the same objects."""
        for name in names:
            own, other = (self.notes.attempt(self.store.dataset, *place) for place in ((*group, name), (owner, name)))
            if own is not None and other is not None and own != other:
                self.notes.add(f"must be a hard link to /{owner}/{name}", *group, name)

    # -- attributes --------------------------------------------------------------------------------------

    def attributes(self, place: Place, wanted: Mapping[str, Wanted]) -> dict[str, Any]:
        """Those of a table that are as they must be."""
        item, found = self.notes.attempt(self.store.item, *place), dict[str, Any]()
        if item is not None:
            for name, row in wanted.items():
                with self.notes.noting(*place):
                    found[name] = attributes.check(item, name, row)
        return found

    def plain(self, place: Place, prefix: str, *kinds: str) -> None:
        """Attributes whose names are free, by the beginning that they share."""
        item = self.notes.attempt(self.store.item, *place)
        if item is None:
            return
        names = list[str]()
        with self.notes.noting(*place):
            names = [name for name in guard.names(item.attrs) if name.startswith(prefix)]
        for name in names:
            with self.notes.noting(*place):
                guard.attribute(item, name)
                if kinds and (found := attributes.kind(item, name)) not in kinds:
                    raise Damage(f"attribute '{name}' must be {' or '.join(kinds)} (got {found})")

    def ranks(self, positions: Mapping[str, Any], *group: str) -> None:
        """Those that are there differ from each other."""
        held = sorted(positions.values())
        if len(set(held)) < len(held):
            self.notes.add(f"positions must differ from each other (got {held})", *group)

    # -- axes, columns, arrays ---------------------------------------------------------------------------

    def axes(self, place: Place, scales: Sequence[Place]) -> None:
        """Each axis of an array has its dimension scale attached to it."""
        array = self.notes.attempt(self.store.dataset, *place)
        for axis, scale in enumerate(scales):
            held = self.notes.attempt(self.store.dataset, *scale)
            if array is None or held is None:
                continue
            with self.notes.noting(*scale):
                _check_scale(held)
            with self.notes.noting(*place):
                _check_attached(array, axis, held, "/" + "/".join(scale))

    def counted(self, place: Place, names: Sequence[str], shape: Sequence[int]) -> list[Place]:
        """The scales 0, 1, 2, ... of a group, and where they stand."""
        places = [(*place, name) for name in names]
        for scale, size in zip(places, shape, strict=True):
            values = self.notes.attempt(self.store.column, *scale, dtype="<i4")
            if values is not None and not (len(values) == size and (values == np.arange(len(values))).all()):
                self.notes.add(f"must count 0, 1, 2, ... along its {size} places", *scale)
        return places

    def column(
        self, index: str, place: Place, wanted: Mapping[str, Wanted]
    ) -> tuple[dict[str, Any], np.ndarray | None]:
        """A float64 column along an index: its attributes, and its confirmed values."""
        said = self.attributes(place, wanted)
        values = self.notes.attempt(self.store.column, *place, rows=self.rows.get(index, 0))
        if values is not None:
            self.axes(place, [(index, "step")])
        return said, values

    def stored(self, place: Place, index: str) -> None:
        """Every confirmed row stands whole within the file, and unpacks where it is packed."""
        if index in self.rows:
            dataset = self.store.dataset(*place)
            with self.notes.noting(*place):
                Ranges.of(dataset, self.rows[index])
                if dataset.id.get_create_plist().get_nfilters():
                    check_compressed(dataset, self.rows[index])


def axis_names(known: Mapping[int, Sequence[str]], rank: int) -> Sequence[str]:
    """The names of the axes of an array of this rank."""
    return known.get(rank) or [f"axis{axis}" for axis in range(rank)]


def _check_scale(dataset: h5py.Dataset) -> None:
    if not h5py.h5ds.is_scale(dataset.id):
        raise Damage("must be a dimension scale")


def _check_attached(array: h5py.Dataset, axis: int, scale: h5py.Dataset, name: str) -> None:
    if not h5py.h5ds.is_scale(scale.id):
        return  # which is noted where it stands
    if axis >= array.ndim or not h5py.h5ds.is_attached(array.id, scale.id, axis):
        raise Damage(f"axis {axis} must have the dimension scale {name} attached to it")
