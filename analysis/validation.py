"""Does a file keep what docs/hdf5-format.md promises? Everything that is wrong, each with its place in the file."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from typing import Any, ParamSpec, TypeVar

import h5py
import numpy as np
import yaml

from . import contents, guard
from .errors import AnalysisError, Damage, DamagedRecording
from .ranges import Ranges
from .recipe import LARGEST_DOCUMENT
from .store import Store

STATUSES = ("running", "complete", "interrupted", "failed")
TEXT, WHOLE = "text", "a whole number"
ROOT = {
    "created": TEXT, "circuit_name": TEXT, "learning": TEXT, "transports_weights": WHOLE, "seed": WHOLE, "status": TEXT,
    "message": TEXT,
}  # fmt: skip
ROOT_2 = {"package_version": TEXT, "git_commit": TEXT, "git_dirty": WHOLE, "resumptions": WHOLE}
WEIGHTS = dict.fromkeys(("source", "target", "role", "reverse_of", "tie", "wiring", "precision", "coordinates"), TEXT)
SIGNAL = dict.fromkeys(("partner", "precision", "coordinates"), TEXT)
RESERVED = frozenset({"step", "epoch", "sample", "label"})
ALIGNMENT = {
    "projections": {"matrix_angle": True, "norm_ratio": False},
    "populations": {"delta_angle": True, "local_angle": True},
}  # quantity -> whether it is an angle

Given = ParamSpec("Given")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Problem:
    """Something that does not hold, at a place in the file."""

    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


def validate(path: str | PathLike[str]) -> list[Problem]:
    """Every place at which a file is not what its format version promises; empty for a valid recording.

    Structure, types, attributes, indexes, and that every confirmed row is stored whole within the file; of weights no
    value is read. What the format does not know is ignored. AnalysisError if the file is no recording at all, or newer.
    """
    store = Store.open(path)
    try:
        return _Validation(store, contents.version(store)).problems()
    finally:
        store.close()


class _Validation:
    def __init__(self, store: Store, version: int):
        self._store, self._version = store, version
        self._problems: list[Problem] = []
        self._rows: dict[str, int] = {}
        self._synapses: dict[str, tuple[tuple[int, ...], str]] = {}  # shape, reverse_of

    def problems(self) -> list[Problem]:
        """In the order of the file's description."""
        self._root()
        self._texts()
        for group in ("environment", "results"):
            self._try(self._plain_attributes, group)
        groups = ("synapses", "signals", "alignment", "metrics") if self._version > 1 else ("synapses", "metrics")
        for group in groups:
            if (rows := self._try(self._index, group)) is not None:
                self._rows[group] = rows
        for check in (self._check_synapses, self._check_signals, self._check_alignment, self._check_metrics):
            self._try(check)
        return self._problems

    # -- the parts of a file -----------------------------------------------------------------------------

    def _root(self) -> None:
        self._attributes((), ROOT | (ROOT_2 if self._version > 1 else {}))
        found = self._store.attributes()
        if (status := found.get("status")) is not None and status not in STATUSES:
            self._note(f"attribute 'status' must be one of {', '.join(STATUSES)} (got {status!r})")
        for name in ("transports_weights", "git_dirty"):
            if isinstance(value := found.get(name), int) and value not in (0, 1):
                self._note(f"attribute '{name}' must be 0 or 1 (got {value})")

    def _texts(self) -> None:
        for name in ("circuit", "experiment"):
            text = self._try(self._store.text, name) or ""
            if len(text) > LARGEST_DOCUMENT:
                self._note(f"must have at most {LARGEST_DOCUMENT} characters (got {len(text)})", name)
                continue
            try:
                yaml.safe_load(text)
            except (yaml.YAMLError, RecursionError, ValueError) as error:
                self._note(f"must be YAML ({' '.join(str(error).split())})", name)

    def _plain_attributes(self, group: str) -> None:
        item = self._store.group(group)
        names = list[str]()
        with self._noted(group):
            names = guard.names(item.attrs)
        for name in names:
            with self._noted(group):
                guard.attribute(item, name)

    def _index(self, group: str) -> int:
        """Checks `step` and `epoch` of a group; the number of confirmed rows."""
        steps = self._store.index(group, "step")
        if len(steps) and not (np.diff(steps) > 0).all():
            first = int(np.argmin(np.diff(steps) > 0))
            self._note(
                f"confirmed steps must increase strictly (got {steps[first]}, {steps[first + 1]})", group, "step"
            )
        epochs = self._try(self._store.column, group, "epoch", rows=len(steps))
        if epochs is not None and not (np.isfinite(epochs).all() and (np.diff(epochs) >= 0).all()):
            self._note("epochs must be finite and never decrease", group, "epoch")
        return len(steps)

    def _check_synapses(self) -> None:
        positions = list[Any]()
        for name in self._members("synapses"):
            place = "synapses", name, "weights"
            self._attributes(place, WEIGHTS | {"position": WHOLE})
            found = self._try(contents.synapse, self._store, name)
            self._coordinates("synapses", "synapses", name)
            if found is None:
                continue
            positions.append(found.position)
            self._synapses[name] = found.shape, found.reverse_of or ""
            if found.role not in ("forward", "feedback"):
                self._note(f"attribute 'role' must be forward or feedback (got {found.role!r})", *place)
            if found.tie and found.tie.split(" ")[0] not in ("transpose_of", "sign_of"):
                self._note(
                    f"attribute 'tie' must be 'transpose_of X', 'sign_of X' or empty (got {found.tie!r})", *place
                )
            self._stored(place, "synapses")
            if self._store.has("synapses", name, "unseen"):
                self._unseen(name, found.shape)
        for name, (shape, reverse_of) in self._synapses.items():
            forward = self._synapses.get(reverse_of)
            if forward and forward[0] != shape:
                self._note(
                    f"must have the shape {forward[0]} of '{reverse_of}' (got {shape})", "synapses", name, "weights"
                )
        self._ranks(positions, "synapses")

    def _unseen(self, name: str, shape: tuple[int, ...]) -> None:
        place = "synapses", name, "unseen"
        dataset = self._try(self._store.dataset, *place)
        if dataset is not None:
            with self._noted(*place):
                contents.mask(dataset, shape)
                if dataset[:].max(initial=0) > 1:
                    raise Damage("must hold 0 and 1 alone")

    def _check_signals(self) -> None:
        if self._version == 1:
            return
        members = self._members("signals")
        samples = len(self._store.column("signals", "sample", dtype="<i8")) if members else 0
        if members and self._store.has("signals", "label"):
            labels = len(self._store.column("signals", "label", dtype="<i8"))
            if labels != samples:
                self._note(f"must be as many as the {samples} samples (got {labels})", "signals", "label")
        positions = list[Any]()
        for name in members:
            self._coordinates("signals", "signals", name)
            found = self._try(contents.signal, self._store, name)
            if found is None:
                continue
            positions.append(found.position)
            for quantity in found.quantities:
                place = "signals", name, quantity
                self._attributes(place, SIGNAL | {"position": WHOLE})
                shape = self._store.dataset(*place).shape
                if shape[1] != samples:
                    self._note(f"must hold {samples} samples (got {shape[1]})", *place)
                self._stored(place, "signals")
        self._ranks(positions, "signals")

    def _check_alignment(self) -> None:
        if self._version == 1:
            for name in self._members("signals"):
                self._column("synapses", ("signals", name, "delta_angle"), angle=True)
            return
        for kind, quantities in ALIGNMENT.items():
            for name in self._members("alignment", kind):
                self._coordinates("alignment", "alignment", kind, name)
                for quantity, angle in quantities.items():
                    self._column("alignment", ("alignment", kind, name, quantity), angle=angle)

    def _check_metrics(self) -> None:
        self._links("metrics")
        for name in self._store.datasets("metrics"):
            if name not in ("step", "epoch"):
                self._column("metrics", ("metrics", name), angle=False)

    # -- what occurs in several of them ------------------------------------------------------------------------

    def _members(self, *group: str) -> list[str]:
        """The names of the groups in a group, once none is reserved and no link leads elsewhere."""
        self._links(*group)
        names = self._store.groups(*group)
        for name in sorted(RESERVED.intersection(names)):
            self._note("a reserved name must not be a group", *group, name)
        return [name for name in names if name not in RESERVED]

    def _links(self, *group: str) -> None:
        """Nothing in a group may lead to another file, or by a path."""
        item = self._store.group(*group)
        names = list[str]()
        with self._noted(*group):
            names = guard.names(item)
        for name in names:
            with self._noted(*group, name):
                guard.child(item, name)

    def _coordinates(self, owner: str, *group: str) -> None:
        """A group shows the `step` and `epoch` of its owner: the same objects."""
        for name in ("step", "epoch"):
            own, shared = (self._try(self._store.dataset, *place) for place in ((*group, name), (owner, name)))
            if own is not None and shared is not None and own != shared:
                self._note(f"must be a hard link to /{owner}/{name}", *group, name)

    def _column(self, index: str, place: tuple[str, ...], *, angle: bool) -> None:
        """A float64 column along an index, with its rank; angles lie between 0 and 180."""
        self._attributes(place, {"position": WHOLE} | ({"units": TEXT} if angle else {}))
        if index not in self._rows:
            return
        values = self._try(self._store.column, *place, rows=self._rows[index])
        if angle and values is not None and ((values < 0) | (values > 180)).any():
            self._note("angles must lie between 0 and 180 degrees, or be NaN", *place)

    def _stored(self, place: tuple[str, ...], index: str) -> None:
        """Every confirmed row stands whole within the file."""
        if index in self._rows:
            dataset = self._store.dataset(*place)
            with self._noted(*place):
                Ranges.of(dataset, self._rows[index])

    def _ranks(self, positions: list[Any], *group: str) -> None:
        if len(set(positions)) < len(positions):
            self._note(f"positions must differ from each other (got {sorted(positions)})", *group)

    def _attributes(self, place: tuple[str, ...], wanted: dict[str, str]) -> None:
        item = self._try(self._store.item, *place)
        if item is None:
            return
        for name, kind in wanted.items():
            with self._noted(*place):
                self._attribute(item, name, kind)

    def _attribute(self, item: h5py.Group | h5py.Dataset, name: str, kind: str) -> None:
        if not h5py.h5a.exists(item.id, name.encode()):
            raise Damage(f"attribute '{name}' must be there, {kind}")
        value = guard.attribute(item, name)
        if not isinstance(value, str if kind == TEXT else int):
            raise Damage(f"attribute '{name}' must be {kind} (got {value!r})")

    # -- taking notes --------------------------------------------------------------------------------------

    def _note(self, what: str, *names: str) -> None:
        problem = Problem("/" + "/".join(names), what)
        if problem not in self._problems:
            self._problems.append(problem)

    def _try(self, read: Callable[Given, Result], *given: Given.args, **named: Given.kwargs) -> Result | None:
        """What `read` returns; None once its error is noted."""
        try:
            return read(*given, **named)
        except DamagedRecording as error:
            self._note(error.what, *error.place.strip("/").split("/"))
        except AnalysisError as error:
            self._note(str(error))
        return None

    @contextmanager
    def _noted(self, *names: str) -> Iterator[None]:
        try:
            yield
        except Damage as error:
            self._note(str(error), *names)
        except guard.DAMAGE as error:
            self._note(f"cannot be read ({' '.join(str(error).split()) or type(error).__name__})", *names)
