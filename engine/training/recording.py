"""From an experiment's words to its recordings: what each run enrols, and what it hands over when."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...circuits.graph import Graph
from ..compiler.alignment import mirrored_pairs
from ..data import Batch, Dataset, probe_indices
from ..recorder import Alignment, Metrics, Recordable, Signal, Signals, Synapse, Weights
from ..recorder.selection import select_populations, select_projections
from ..simulator import Simulator
from ..views import Weights as Synapses
from .record import Record
from .when import due

METRICS = (
    *("loss", "accuracy", "validation_loss", "validation_accuracy", "validation_top5_accuracy"),
    *("rate", "images_per_second", "data_wait"),
)


@dataclass(frozen=True)
class Enrolment:
    """What a run of one circuit records under an experiment's `record`."""

    graph: Graph
    record: Record
    dataset: Dataset

    @cached_property
    def probe(self) -> NDArray[np.intp]:
        """The probe's samples among the training data, in ascending order."""
        return probe_indices(len(self.dataset.train), self.record.probe)

    @cached_property
    def projections(self) -> tuple[str, ...]:
        """Those of which weights are recorded."""
        chosen = self.record.weights
        if chosen is None:
            return ()
        return select_projections(self.graph, chosen.projections, chosen.role, chosen.wiring).names

    @cached_property
    def signals(self) -> tuple[Signal, ...]:
        """The populations of which rates and deltas are recorded, each with what it has of them."""
        chosen = self.record.signals
        if chosen is None:
            return ()
        names = select_populations(self.graph, chosen.populations, chosen.what).names
        partners = self.graph.partners
        return tuple(
            Signal(
                population=name,
                shape=self.graph.shapes[name],
                what=tuple(what for what in chosen.what if what == "rate" or name in partners),
                partner=partners.get(name),
            )
            for name in names
        )

    @cached_property
    def recordables(self) -> tuple[Recordable, ...]:
        """What a recorder is to enrol."""
        return tuple(self._recordables())

    def _recordables(self) -> Iterator[Recordable]:
        record = self.record
        if record.weights is not None:
            synapses = [synapse(self.graph, label) for label in self.projections]
            yield Weights(synapses, record.weights.precision, record.weights.compression)
        if record.signals is not None:
            labels = self.dataset.train.labels[self.probe].tolist()
            form = (record.signals.precision, record.signals.compression)
            yield Signals(self.signals, self.probe.tolist(), labels, *form)
        if record.angles is not None:
            yield Alignment(mirrored_pairs(self.graph), hidden(self.graph))
        if record.metrics is not None:
            yield Metrics(METRICS)


class Observer:
    """Looks at a simulator for its recording. `steps` is the length of the run, `steps_per_epoch` that of an epoch."""

    def __init__(self, sim: Simulator, enrolment: Enrolment, steps: int, steps_per_epoch: int) -> None:
        self.sim, self.enrolment = sim, enrolment
        self.steps, self.steps_per_epoch = steps, steps_per_epoch
        self.matrix_angle: float | None = None
        self.delta_angle: float | None = None
        """Medians over projections and over hidden populations, as last measured, for displays."""
        self._synapses = Synapses(sim)
        self._of_interest = frozenset(hidden(sim.compiled.graph))

    @cached_property
    def _probe(self) -> Batch:
        return self.enrolment.dataset.train.take(self.enrolment.probe)

    def due(self, part: str, step: int) -> bool:
        """Whether `weights`, `signals`, `angles` or `metrics` are recorded in the state after `step` steps.

        Weights always are at the start.
        """
        chosen = getattr(self.enrolment.record, part)
        if chosen is None:
            return False
        return (part == "weights" and step == 0) or due(chosen.when, step, self.steps, self.steps_per_epoch)

    def weights(self) -> Mapping[str, NDArray[Any]]:
        """The weights now, to be copied before the next step: shared with the engine where that can be, else fetched
        one at a time. Asking for one that is not finite raises NotFinite.
        """
        return _Weights(self._synapses, self.enrolment.projections)

    def signals(self) -> dict[str, dict[str, NDArray[Any]]]:
        """Rates and deltas of the chosen populations on the probe."""
        places = {
            (signal.population, what): f"{signal.population if what == 'rate' else signal.partner}.rate"
            for signal in self.enrolment.signals
            for what in signal.what
        }
        seen = self.sim.observe(sorted(set(places.values())), self._probe.images, self._probe.labels)
        found: dict[str, dict[str, NDArray[Any]]] = {}
        for (population, what), place in places.items():
            found.setdefault(population, {})[what] = seen[place]
        return found

    def alignment(self) -> dict[str, Mapping[str, float]]:
        """Angles and norm ratios, on the probe."""
        measured = self.sim.alignment(self._probe.images, self._probe.labels)
        deltas = {name: value for name, value in measured.delta_angles.items() if name in self._of_interest}
        local = {name: value for name, value in measured.local_angles.items() if name in self._of_interest}
        self.matrix_angle, self.delta_angle = _median(measured.matrix_angles), _median(deltas)
        return {
            "matrix_angle": measured.matrix_angles,
            "norm_ratio": measured.norm_ratios,
            "delta_angle": deltas,
            "local_angle": local,
        }


def _median(angles: Mapping[str, float]) -> float | None:
    """Over those that are defined."""
    defined = [degrees for degrees in angles.values() if math.isfinite(degrees)]
    return median(defined) if defined else None


class NotFinite(Exception):
    """Weights hold NaN or infinity."""


class _Weights(Mapping[str, NDArray[Any]]):
    def __init__(self, synapses: Synapses, projections: tuple[str, ...]) -> None:
        self._synapses, self._projections = synapses, projections

    def __getitem__(self, projection: str) -> NDArray[Any]:
        array = self._synapses.shown(projection)
        if not np.isfinite(array).all():
            raise NotFinite(projection)
        return array

    def __iter__(self) -> Iterator[str]:
        return iter(self._projections)

    def __len__(self) -> int:
        return len(self._projections)


def hidden(graph: Graph) -> list[str]:
    """The populations with angles of interest: those with a feedback partner. Outputs are left out, since every system
    gives them the exact error.
    """
    return [name for name in graph.forward if name in graph.partners and name not in graph.outputs]


def synapse(graph: Graph, label: str) -> Synapse:
    """What a file says of a projection."""
    projection, geometry = graph.projections[label], graph.geometries[label]
    tie = projection.tie
    return Synapse(
        projection=label,
        source=projection.source,
        target=projection.target,
        role="feedback" if graph.is_feedback(label) else "forward",
        reverse_of=projection.reverse_of,
        rules={mode: rule.dw for mode, rule in projection.rules.items()},
        tie=f"{tie.kind} {tie.owner}" if tie else None,
        shape=geometry.weight_shape or (),
        wiring=geometry.wiring.kind,
        unseen=geometry.unseen,
    )
