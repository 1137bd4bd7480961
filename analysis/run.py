"""One recorded run, opened lazily: nothing but the index is read before it is asked for."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property, partial
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import h5py
import numpy as np
import pandas as pd

from .errors import AnalysisError

MAGIC = "counterstream"
FORMAT_VERSION = 1  # the newest layout this reader knows; docs/hdf5-format.md
GROUPS = ("environment", "results", "synapses", "signals", "metrics")
ATTRIBUTES = ("circuit_name", "learning", "transports_weights", "seed", "status", "message")
OPENINGS = 6  # a file that is being written may be met half flushed, for some milliseconds

Values = TypeVar("Values", np.ndarray, pd.DataFrame)


@dataclass(frozen=True, kw_only=True)
class RecordedSynapse:
    """What a file says about one projection's weights; `shape` is that of one snapshot."""

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


class Run:
    """A recording, opened for reading; also a context manager.

    What a run had confirmed when it was opened is what one sees; to follow a running experiment, open it
    again. `attributes` are the file's own (circuit_name, learning, seed, status, ...), `environment` and
    `results` those of their groups, `circuit` and `experiment` YAML texts.
    """

    def __init__(self, path: Path, file: h5py.File):
        self.path = path
        self._file = file
        self.steps: np.ndarray = _confirmed(file["synapses/step"])
        self.epochs: np.ndarray = file["synapses/epoch"][: len(self.steps)]

    @classmethod
    def open(cls, path: str | PathLike[str]) -> Self:
        """Opens a recording: finished, running or killed. AnalysisError if it is none, newer or damaged."""
        path = Path(path)
        file = _open(path)
        try:
            _check(path, file)
            return cls(path, file)
        except (KeyError, OSError, ValueError) as error:
            file.close()
            raise AnalysisError(f"{path}: the recording is damaged: {error}") from error
        except AnalysisError:
            file.close()
            raise

    def close(self) -> None:
        """Closes the file; data already read stay."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @cached_property
    def attributes(self) -> dict[str, Any]:
        """The run's own attributes; `transports_weights` as bool."""
        attributes = _attributes(self._file)
        return attributes | {"transports_weights": bool(attributes["transports_weights"])}

    @cached_property
    def environment(self) -> dict[str, Any]:
        """Versions and machine, by name."""
        return _attributes(self._file["environment"])

    @cached_property
    def results(self) -> dict[str, Any]:
        """The run's final figures, by name; empty before it ended."""
        return _attributes(self._file["results"])

    @property
    def circuit(self) -> str:
        """The explicit circuit, as YAML."""
        return _text(self._file["circuit"])

    @property
    def experiment(self) -> str:
        """The experiment, as YAML."""
        return _text(self._file["experiment"])

    @cached_property
    def synapses(self) -> dict[str, RecordedSynapse]:
        """Every recorded projection by name, in the order of the schema."""
        groups = self._file["synapses"]
        weights = {name: _member(self.path, groups, name, "weights") for name in _subgroups(groups)}
        order = sorted(weights, key=lambda name: _position(weights[name]))
        return {name: _synapse(name, weights[name]) for name in order}

    @cached_property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """(projection, reverse) wherever both are recorded, in the order of the forward ones."""
        reverses = {s.reverse_of: name for name, s in self.synapses.items() if s.reverse_of}
        return tuple((name, reverses[name]) for name in self.synapses if name in reverses)

    def weights(self, projection: str, snapshot: int = -1) -> np.ndarray:
        """One snapshot of a projection's weights, read now; negative ones count from the last confirmed."""
        synapse = self._synapse(projection)
        if not -len(self.steps) <= snapshot < len(self.steps):
            raise AnalysisError(f"{self.path}: snapshot {snapshot} does not exist; the file holds {len(self.steps)}")
        row = snapshot % len(self.steps)

        def read() -> np.ndarray:
            values: np.ndarray = self._file["synapses"][projection]["weights"][row]
            if synapse.precision == "bfloat16":
                return (values.astype(np.uint32) << 16).view(np.float32)
            return values

        return self._patiently(read)

    def seen(self, projection: str) -> np.ndarray | None:
        """Mask, in the weights' shape, of those that are synapses; None where all are."""
        self._synapse(projection)
        group = self._file["synapses"][projection]
        return group["unseen"][:] == 0 if "unseen" in group else None

    def metrics(self) -> pd.DataFrame:
        """The metrics table: step, epoch and one column per metric."""
        return self._patiently(self._metrics)

    def _metrics(self) -> pd.DataFrame:
        group = self._file["metrics"]
        steps = _confirmed(group["step"])
        names = sorted((n for n in group if n not in ("step", "epoch")), key=lambda n: _position(group[n]))
        columns = {name: group[name][: len(steps)] for name in ("epoch", *names)}
        return pd.DataFrame({"step": steps, **columns})

    def signals(self) -> Iterator[tuple[str, np.ndarray]]:
        """(population, delta angle in degrees at every snapshot), in the order of the schema."""
        group = self._file["signals"]
        angles = {name: _member(self.path, group, name, "delta_angle") for name in _subgroups(group)}
        for name in sorted(angles, key=lambda n: _position(angles[n])):
            yield name, self._patiently(partial(self._angles, name))

    def _angles(self, population: str) -> np.ndarray:
        values: np.ndarray = self._file["signals"][population]["delta_angle"][: len(self.steps)]
        return values

    def _patiently(self, read: Callable[[], Values]) -> Values:
        """Reads; of a run that goes on, reads again where its writer was met in the midst of a flush.

        Such a reading fails, or misses what was there and finds NaN, which is what nothing reads as: then the
        file is opened anew. NaN that stays is the run's own.
        """
        for attempt in range(1, OPENINGS + 1):
            last = attempt == OPENINGS or self.attributes["status"] != "running"
            try:
                values = read()
            except (OSError, KeyError, ValueError, IndexError, RuntimeError) as error:
                if last:
                    raise AnalysisError(f"{self.path}: the recording cannot be read: {error}") from error
            else:
                if last or not np.isnan(np.asarray(values)).any():
                    return values
            self._file.close()
            self._file = _open(self.path)
        raise AssertionError("unreachable")

    def _synapse(self, projection: str) -> RecordedSynapse:
        if projection not in self.synapses:
            near = get_close_matches(projection, self.synapses, n=1)
            hint = f"Did you mean {near[0]!r}? " if near else ""
            recorded = ", ".join(self.synapses) or "none"
            raise AnalysisError(f"{self.path}: projection {projection!r} is not recorded. {hint}recorded: {recorded}")
        return self.synapses[projection]

    def __repr__(self) -> str:
        learning, status = self.attributes["learning"], self.attributes["status"]
        return f"Run({str(self.path)!r}: {learning}, {len(self.steps)} snapshots, {status})"


def _open(path: Path) -> h5py.File:
    if not path.is_file():
        raise AnalysisError(f"{path}: there is no such file")
    if not h5py.is_hdf5(path):
        raise AnalysisError(f"{path}: this is not an HDF5 file, so no recording of Counterstream")
    for opening in range(OPENINGS):
        try:
            # A writer in another process holds the lock; one in this process wants us to open as it did.
            return h5py.File(path, "r", locking="best-effort" if opening % 2 else False)
        except OSError as error:
            if opening == OPENINGS - 1:
                what = "truncated" if "truncated" in str(error) else "damaged"
                raise AnalysisError(
                    f"{path}: the file is {what} and cannot be opened; copy or record it again ({error})"
                ) from error
            time.sleep(0.02)
    raise AssertionError("unreachable")


def _check(path: Path, file: h5py.File) -> None:
    if file.attrs.get("magic") != MAGIC:
        raise AnalysisError(f"{path}: an HDF5 file, but no recording of Counterstream (attribute 'magic' is missing)")
    version = int(file.attrs["format_version"])
    if version > FORMAT_VERSION:
        raise AnalysisError(
            f"{path}: format_version must be at most {FORMAT_VERSION} (got {version}): "
            "a newer Counterstream wrote it. Update this one"
        )
    missing = [name for name in GROUPS if not isinstance(file.get(name), h5py.Group)]
    missing += [name for name in ATTRIBUTES if name not in file.attrs]
    if missing:
        raise AnalysisError(f"{path}: the recording is damaged, it lacks {', '.join(missing)}")


def _confirmed(index: h5py.Dataset) -> np.ndarray:
    """The leading rows of an index that hold a step; -1 marks a record that was not complete."""
    steps: np.ndarray = index[:]
    unconfirmed = np.flatnonzero(steps < 0)
    return steps[: unconfirmed[0]] if unconfirmed.size else steps


def _subgroups(group: h5py.Group) -> list[str]:
    return [name for name in group if group.get(name, getclass=True) is h5py.Group]


def _member(path: Path, group: h5py.Group, name: str, member: str) -> h5py.Dataset:
    dataset = group[name].get(member)
    if not isinstance(dataset, h5py.Dataset):
        raise AnalysisError(f"{path}: the recording is damaged, it lacks {group.name}/{name}/{member}")
    return dataset


def _position(dataset: h5py.Dataset) -> int:
    return int(dataset.attrs.get("position", 0))


def _synapse(name: str, weights: h5py.Dataset) -> RecordedSynapse:
    text = _attributes(weights)
    return RecordedSynapse(
        projection=name,
        source=text.get("source", ""),
        target=text.get("target", ""),
        role=text.get("role", ""),
        reverse_of=text.get("reverse_of") or None,
        tie=text.get("tie") or None,
        rules={key.removeprefix("rule_"): value for key, value in text.items() if key.startswith("rule_")},
        wiring=text.get("wiring", ""),
        shape=weights.shape[1:],
        precision=text.get("precision", ""),
    )


def _attributes(item: h5py.Group | h5py.Dataset) -> dict[str, Any]:
    """Attributes as plain Python numbers and texts; HDF5's own (dimension scales) left out."""
    values = {name: item.attrs[name] for name in item.attrs if not name.isupper()}
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in values.items()}


def _text(dataset: h5py.Dataset) -> str:
    return str(dataset.asstr()[()])
