"""One recorded run, opened lazily: nothing but the indexes is read before it is asked for."""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from os import PathLike
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np
import pandas as pd

from . import contents, guard
from .errors import AnalysisError, Damage
from .ranges import Ranges
from .recorded import Instants, RecordedSignal, RecordedSynapse
from .store import OPENINGS, PAUSE, Store
from .streaming import Sums, Task, as_numbers, stream

INDEXED = ("synapses", "signals", "alignment", "metrics")  # the groups with an index of their own
COORDINATES = ("step", "epoch")

Result = TypeVar("Result")
Total = TypeVar("Total", bound=Sums)


class Run:
    """A recording of format version 1 or 2, opened for reading; also a context manager.

    What a run had confirmed when it was opened is what one sees; to follow a running experiment, open it
    again. Where the writer is met in the midst of a flush, reading is repeated.

    path, version: the file and the version of its format.
    steps, epochs: of the snapshots of weights, one value each. `instants` tells those of the other groups.
    """

    def __init__(self, store: Store):
        self._store = store
        self.path = store.path
        self.version = contents.version(store)
        self.attributes: dict[str, Any] = contents.identity(store)
        groups = [name for name in INDEXED if self.version > 1 or name != "alignment"]
        self._instants = {name: contents.instants(store, name) for name in groups}
        if self.version == 1:  # one index ruled weights and delta angles
            self._instants |= {"alignment": self._instants["synapses"], "signals": contents.NOTHING}

    @classmethod
    def open(cls, path: str | PathLike[str]) -> Self:
        """Opens a recording: finished, running or killed. AnalysisError if it is none, newer or damaged."""
        store = Store.open(path)
        for opening in range(1, OPENINGS + 1):
            try:
                return cls(store)
            except AnalysisError:
                if opening == OPENINGS or not contents.growing(store):
                    store.close()
                    raise
            time.sleep(PAUSE)
            store.reopen()
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Closes the file; data already read stay."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @cached_property
    def environment(self) -> dict[str, Any]:
        """Versions and machine, by name."""
        return self._patiently(lambda: self._store.attributes("environment"))

    @cached_property
    def results(self) -> dict[str, Any]:
        """The run's final figures, by name; empty before it ended."""
        return self._patiently(lambda: self._store.attributes("results"))

    @cached_property
    def circuit(self) -> str:
        """The explicit circuit, as YAML."""
        return self._patiently(lambda: self._store.text("circuit"))

    @cached_property
    def experiment(self) -> str:
        """The experiment, as YAML."""
        return self._patiently(lambda: self._store.text("experiment"))

    # -- when --------------------------------------------------------------------------------------------

    @property
    def steps(self) -> np.ndarray:
        return self._instants["synapses"].steps

    @property
    def epochs(self) -> np.ndarray:
        return self._instants["synapses"].epochs

    def instants(self, group: str) -> Instants:
        """The records of `synapses`, `signals`, `alignment` or `metrics`, which are written at different times."""
        return self._instants[group]

    # -- weights -----------------------------------------------------------------------------------------

    @cached_property
    def synapses(self) -> dict[str, RecordedSynapse]:
        """Every recorded projection by name, in the order of the circuit."""

        def read() -> dict[str, RecordedSynapse]:
            found = [contents.synapse(self._store, name) for name in self._store.groups("synapses")]
            return {s.projection: s for s in sorted(found, key=lambda s: s.position)}

        return self._patiently(read)

    @cached_property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """(projection, reverse) wherever the weights of both are recorded, in the order of the forward ones."""
        reverses = {s.reverse_of: name for name, s in self.synapses.items() if s.reverse_of}
        pairs = [(name, reverses[name]) for name in self.synapses if name in reverses]
        for forward, reverse in pairs:
            shapes = self.synapses[forward].shape, self.synapses[reverse].shape
            if shapes[0] != shapes[1]:
                what = f"must have the shape {shapes[0]} of '{forward}', whose reverse it is (got {shapes[1]})"
                raise self._store.damaged(what, "synapses", reverse, "weights")
        return tuple(pairs)

    def weights(self, projection: str, snapshot: int = -1) -> np.ndarray:
        """One snapshot of a projection's weights, read now; negative ones count from the last confirmed.

        As stored, in float64, float32 or float16; bfloat16 as float32.
        """
        self.synapse(projection)
        if not -len(self.steps) <= snapshot < len(self.steps):
            raise AnalysisError(f"{self.path}: snapshot {snapshot} does not exist; the file holds {len(self.steps)}")
        return self._row("synapses", projection, "weights", row=snapshot % len(self.steps), rows=len(self.steps))

    def seen(self, projection: str) -> np.ndarray | None:
        """Mask, in the weights' shape, of those that are synapses; None where all are."""
        shape = self.synapse(projection).shape

        def read() -> np.ndarray | None:
            if not self._store.has("synapses", projection, "unseen"):
                return None
            place = "synapses", projection, "unseen"
            dataset = self._store.dataset(*place)
            return self._store.named(lambda: contents.mask(dataset, shape), *place)

        return self._patiently(read)

    def synapse(self, projection: str) -> RecordedSynapse:
        """What the file says about a projection; AnalysisError with the nearest name if it is not recorded."""
        if projection not in self.synapses:
            hint = contents.nearest(projection, self.synapses)
            raise AnalysisError(f"{self.path}: projection {projection!r} is not recorded. {hint}")
        return self.synapses[projection]

    def stream(self, tasks: Sequence[Task[Total]]) -> Iterator[Task[Total]]:
        """Sums over weights, block by block, in float64: see `streaming.stream`."""
        names = list(dict.fromkeys(name for task in tasks for name, _ in task.sources))
        ranges = self._patiently(lambda: {name: self._ranges(name) for name in names})
        for together in {tuple(name for name, _ in task.sources) for task in tasks}:
            if len({ranges[name].pieces for name in together}) > 1:
                ranges |= {name: ranges[name].through_hdf5 for name in together}
        masks = {name: self.seen(name) for name in names}
        seen = {name: mask.ravel() for name, mask in masks.items() if mask is not None}
        try:
            yield from stream(tasks, ranges, seen)
        except Damage as error:
            raise self._store.damaged(str(error), "synapses") from None
        except guard.DAMAGE as error:
            raise self._store.damaged(f"cannot be read ({error})", "synapses") from error

    def _ranges(self, projection: str) -> Ranges:
        place = "synapses", projection, "weights"
        dataset = self._store.dataset(*place)
        return self._store.named(lambda: Ranges.of(dataset, len(self.steps)), *place)

    # -- signals, alignment, metrics -------------------------------------------------------------------------

    @cached_property
    def signals(self) -> dict[str, RecordedSignal]:
        """Every population whose rate or delta on the probe is recorded, in the order of the circuit."""
        if self.version == 1:
            return {}

        def read() -> dict[str, RecordedSignal]:
            found = [contents.signal(self._store, name) for name in self._store.groups("signals")]
            return {s.population: s for s in sorted(found, key=lambda s: s.position)}

        return self._patiently(read)

    def signal(self, population: str, quantity: str, record: int = -1) -> np.ndarray:
        """What a population did with the probe: `rate` or `delta`, of shape (sample, *shape)."""
        if population not in self.signals:
            hint = contents.nearest(population, self.signals)
            raise AnalysisError(f"{self.path}: population {population!r} is not recorded. {hint}")
        held = self.signals[population].quantities
        if quantity not in held:
            raise AnalysisError(f"{self.path}: {population!r} has no {quantity!r}; recorded: {', '.join(held)}")
        count = len(self._instants["signals"])
        if not -count <= record < count:
            raise AnalysisError(f"{self.path}: record {record} of the signals does not exist; the file holds {count}")
        return self._row("signals", population, quantity, row=record % count, rows=count)

    def probe(self) -> pd.DataFrame:
        """The probe: `sample`, its position in the training data, and `label`, where targets are classes."""
        names = [name for name in ("sample", "label") if self.version > 1 and self._store.has("signals", name)]
        columns = {name: self._store.column("signals", name, dtype="<i8") for name in names}
        lengths = {len(column) for column in columns.values()}
        if len(lengths) > 1:
            raise self._store.damaged(f"must be as many as the samples (got {sorted(lengths)})", "signals", "label")
        return pd.DataFrame(columns, columns=names or ["sample"])

    def alignment(self, quantity: str) -> dict[str, np.ndarray]:
        """What the device measured: a value for each record of `alignment`, by projection or population.

        quantity: `matrix_angle`, `norm_ratio` (by projection), `delta_angle`, `local_angle` (by population).
        """
        kind = "projections" if quantity in ("matrix_angle", "norm_ratio") else "populations"
        parent = ("signals",) if self.version == 1 else ("alignment", kind)
        if self.version == 1 and quantity != "delta_angle":
            return {}

        def read() -> dict[str, np.ndarray]:
            found = {}
            for name in self._store.groups(*parent):
                place = (*parent, name, quantity)
                rank = contents.position(self._store, *place)
                found[name] = rank, self._store.column(*place, rows=len(self._instants["alignment"]))
            return {name: values for name, (_, values) in sorted(found.items(), key=lambda item: item[1][0])}

        return self._patiently(read)

    def metrics(self) -> pd.DataFrame:
        """The metrics table: step, epoch and one column per metric."""
        instants = self._instants["metrics"]

        def read() -> pd.DataFrame:
            names = [name for name in self._store.datasets("metrics") if name not in COORDINATES]
            names.sort(key=lambda name: contents.position(self._store, "metrics", name))
            columns = {name: self._store.column("metrics", name, rows=len(instants)) for name in names}
            return pd.DataFrame({"step": instants.steps, "epoch": instants.epochs, **columns})

        return self._patiently(read)

    # -- reading -----------------------------------------------------------------------------------------

    def _row(self, *place: str, row: int, rows: int) -> np.ndarray:
        def read() -> np.ndarray:
            dataset = self._store.dataset(*place)

            def values() -> np.ndarray:
                guard.check_stored(dataset, rows)
                return as_numbers(dataset[row])

            return self._store.named(values, *place)

        return self._patiently(read, whole=lambda values: not np.isnan(values).any())

    def _patiently(self, read: Callable[[], Result], whole: Callable[[Result], bool] = lambda _: True) -> Result:
        """Reads; of a run that goes on, reads again where its writer was met in the midst of a flush.

        Such a reading fails, or misses what was there and finds NaN, which is what nothing reads as: then the
        file is opened anew. NaN that stays is the run's own.
        """
        for attempt in range(1, OPENINGS + 1):
            last = attempt == OPENINGS or self.attributes["status"] != "running"
            try:
                values = read()
            except AnalysisError:
                if last:
                    raise
            else:
                if last or whole(values):
                    return values
            time.sleep(PAUSE)
            self._store.reopen()
        raise AssertionError("unreachable")

    def __repr__(self) -> str:
        learning, status = self.attributes["learning"], self.attributes["status"]
        return f"Run({str(self.path)!r}: {learning}, {len(self.steps)} snapshots, {status})"
