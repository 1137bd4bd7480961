"""Training one compiled circuit with one seed: engaged steps, other modes in between, records, and the end of it."""

import math
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np

from ..data import Batch, Dataset, Draw, Split, steps_per_epoch, training_batches
from ..recorder import Recorder
from ..simulator import Simulator
from .errors import Diverged, ExperimentError
from .experiment import Experiment
from .finite import first_not_finite
from .interruption import Interruption
from .progress import EpochReport, Progress, Pulse, RunName, Silent
from .recording import Enrolment, NotFinite, Observer
from .schedules import multiplier

CHUNK = 256
"""How many samples are evaluated at once."""
RECENT = 1024
"""Of how many latest durations a median is taken: the rest of a run adds nothing to it but memory."""
ENGAGED = ""  # the key of engaged steps among the durations; no mode has an empty name


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a finished run came to. Seconds are those of training steps, modes included, records and evaluation not."""

    steps: int
    test_loss: float
    test_accuracy: float
    validation_accuracy: float | None
    training_seconds: float
    seconds_per_step: float
    """The median engaged step, and the median of each other mode's turns times how often they ran."""


@dataclass
class _Means:
    """Means over the steps that were added, as running sums."""

    steps: int = 0
    losses: float = 0.0
    accuracies: float = 0.0
    seconds: float = 0.0

    def add(self, result: dict[str, float], seconds: float) -> None:
        self.steps += 1
        self.losses += result["loss"]
        self.accuracies += result.get("accuracy", math.nan)
        self.seconds += seconds

    @property
    def loss(self) -> float:
        return self.losses / self.steps if self.steps else math.nan

    @property
    def accuracy(self) -> float:
        return self.accuracies / self.steps if self.steps else math.nan


@dataclass
class _Durations:
    """How often something ran, and how long: in all, and as a median of the latest RECENT."""

    count: int = 0
    seconds: float = 0.0
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT))

    def add(self, seconds: float) -> None:
        self.count += 1
        self.seconds += seconds
        self.recent.append(seconds)


class Training:
    """One run. `sim` is a compiled circuit with its initial state; `recorder` an open recording of what `enrolment`
    says.

    1. Of each state, the first and the last included, that is recorded which is due in it.
    2. Before each engaged step the rate's multiplier is set; after it the other modes that are due run, once
       each.
    3. Ctrl-C takes effect between two engaged steps: it raises KeyboardInterrupt.
    4. A loss or a weight to be recorded that is not finite raises Diverged; nothing is recorded after it.
    """

    def __init__(
        self,
        sim: Simulator,
        dataset: Dataset,
        experiment: Experiment,
        run: RunName,
        recorder: Recorder,
        enrolment: Enrolment,
        progress: Progress | None = None,
        interruption: Interruption | None = None,
    ) -> None:
        self.interruption = interruption or Interruption()
        self.sim, self.dataset, self.experiment = sim, dataset, experiment
        self.run_name, self.progress = run, progress or Silent()
        self.recorder = recorder
        check_batch(experiment, dataset)
        self.per_epoch = steps_per_epoch(len(dataset.train), experiment.batch)
        self.steps = self.per_epoch * experiment.epochs
        self.modes = mode_intervals(sim, experiment)
        self.step = 0
        self.recorded_step: int | None = None
        self._durations: dict[tuple[str, int], _Durations] = defaultdict(_Durations)  # by mode and turn
        self._since = _Means()  # the last metrics row
        self._observer = Observer(sim, enrolment, self.steps, self.per_epoch)
        self._pulse = Pulse(self.progress, run, steps=self.steps, steps_per_epoch=self.per_epoch)

    def run(self) -> Outcome:
        """Train to the end and return what came of it; results go to the recording as well."""
        self._record()
        for epoch in range(self.experiment.epochs):
            self._epoch(epoch)
        outcome = self._outcome()
        for name, value in vars(outcome).items():
            if value is not None:
                self.recorder.result(name, value)
        return outcome

    def _epoch(self, epoch: int) -> None:
        mean, started = _Means(), self.step
        validation: dict[str, float] = {}
        seed = self.run_name.seed
        order = training_batches(len(self.dataset.train), self.experiment.batch, seed, epoch)
        draws = (Draw(epoch, indices) for indices in order)
        with self.dataset.train.stream(draws, seed=seed, device=self.experiment.device) as batches:
            for batch in batches:
                self.interruption.check()
                result, seconds = self._train(batch)
                mean.add(result, seconds)
                self._since.add(result, seconds)
                validation = self._record() or validation
                self._pulse.step(
                    self.step,
                    loss=result["loss"],
                    accuracy=result.get("accuracy", math.nan),
                    images=len(batch),
                    seconds=seconds,
                    matrix_angle=self._observer.matrix_angle,
                    delta_angle=self._observer.delta_angle,
                )
        images = (self.step - started) * self.experiment.batch
        report = EpochReport(
            epoch=epoch + 1,
            epochs=self.experiment.epochs,
            step=self.step,
            loss=mean.loss,
            accuracy=mean.accuracy,
            images_per_second=images / mean.seconds,
            validation_accuracy=validation.get("accuracy"),
            matrix_angle=self._observer.matrix_angle,
            delta_angle=self._observer.delta_angle,
        )
        self.progress.epoch_finished(self.run_name, report)

    def _train(self, batch: Batch) -> tuple[dict[str, float], float]:
        """One engaged step and the modes that are due after it; its metrics and its seconds."""
        self.sim.rate = self.rate
        started = time.perf_counter()
        result = self.sim.step(batch.images, batch.target)
        seconds = self._took(ENGAGED, 0, started)
        if not math.isfinite(result["loss"]):
            raise self._diverged(f"the loss must stay finite (got {result['loss']})", result["loss"])
        self.step += 1
        for mode, every in self.modes.items():
            if self.step % every == 0:
                started, turn = time.perf_counter(), self.sim.turn(mode)
                self._beside(mode, batch)
                seconds += self._took(mode, turn, started)
        return result, seconds

    def _beside(self, mode: str, batch: Batch) -> None:
        """One step of another mode: on noise, or on the batch that the engaged step has seen."""
        if self.sim.circuit.modes[mode].isolates:
            self.sim.run(mode, steps=1)
        else:
            self.sim.step(batch.images, batch.target, mode=mode)

    def _took(self, mode: str, turn: int, started: float) -> float:
        seconds = time.perf_counter() - started
        self._durations[mode, turn].add(seconds)
        return seconds

    @property
    def rate(self) -> float:
        """The multiplier of the rate for the step that comes."""
        plan = self.experiment.consolidation
        return multiplier(
            plan.schedule, self.step, steps=self.steps, steps_per_epoch=self.per_epoch, warmup=plan.warmup
        )

    @property
    def epoch(self) -> float:
        """Epochs done, with their fraction."""
        return self.step / self.per_epoch

    def _record(self) -> dict[str, float]:
        """Hand over what is due in this state; the validation's figures where they were measured for it."""
        given: dict[str, Any] = {}
        validation: dict[str, float] = {}
        if self._observer.due("weights", self.step):
            given["weights"] = self._observer.weights()
        if self._observer.due("signals", self.step):
            given["signals"] = self._observer.signals()
        if self._observer.due("angles", self.step):
            given["alignment"] = self._observer.alignment()
        if self.step and self._observer.due("metrics", self.step):
            validation = self._validate()
            given["metrics"] = self._metrics(validation)
        if given:
            try:
                self.recorder.write(step=self.step, epoch=self.epoch, **given)
            except NotFinite:
                raise self._diverged("weights must stay finite") from None
            self.recorded_step = self.step
        return validation

    def _metrics(self, validation: dict[str, float]) -> dict[str, float]:
        """Means since the last row, and what the validation measured."""
        since, self._since = self._since, _Means()
        images = since.steps * self.experiment.batch
        return {
            "loss": since.loss,
            "accuracy": since.accuracy,
            "rate": self.rate,
            "images_per_second": images / since.seconds if since.seconds else math.nan,
            **{f"validation_{name}": value for name, value in validation.items()},
        }

    def _validate(self) -> dict[str, float]:
        validation = self.dataset.validation
        if validation is None:
            return {}
        measured = self._measure(validation)
        return {name: measured[name] for name in ("loss", "accuracy")}

    def _measure(self, split: Split) -> dict[str, float]:
        """Loss and accuracy over all samples of a split, each counted once."""
        totals: dict[str, float] = {}
        with split.chunks(np.arange(len(split)), CHUNK, device=self.experiment.device) as chunks:
            for chunk in chunks:
                for name, value in self.sim.evaluate(chunk.images, chunk.labels).items():
                    totals[name] = totals.get(name, 0.0) + len(chunk) * value
        return {name: total / len(split) for name, total in totals.items()}

    def _outcome(self) -> Outcome:
        test = self._measure(self.dataset.test)
        return Outcome(
            steps=self.step,
            test_loss=test["loss"],
            test_accuracy=test["accuracy"],
            validation_accuracy=self._validate().get("accuracy"),
            training_seconds=sum(durations.seconds for durations in self._durations.values()),
            seconds_per_step=self._seconds_per_step(),
        )

    def _seconds_per_step(self) -> float:
        """Medians, so that neither the first steps nor what else the machine does counts much."""
        return sum(median(times.recent) * times.count / self.step for times in self._durations.values())

    def _diverged(self, what: str, loss: float = 0.0) -> Diverged:
        return Diverged(
            f"{self.run_name}: step {self.step + 1} (epoch {int(self.epoch) + 1}): {what}. "
            f"Not finite first in {first_not_finite(self.sim, loss=loss)}. Lower consolidation.rate "
            f"(now {self.experiment.consolidation.rate:g}), or warm up; {self.run_name.path} is readable and "
            f"holds the run "
            f"up to step {self.recorded_step}"
        )


def check_batch(experiment: Experiment, dataset: Dataset) -> None:
    """Raise ExperimentError unless an epoch has at least one full batch."""
    samples = len(dataset.train)
    if not steps_per_epoch(samples, experiment.batch):
        message = f"must be at most {samples}, the training samples of {dataset.name} (got {experiment.batch})"
        raise ExperimentError(experiment.placed(message, "batch"))


def mode_intervals(sim: Simulator, experiment: Experiment) -> dict[str, int]:
    """Every mode but the engaged one, and after how many engaged steps it runs: the experiment's word, else the
    system's.
    """
    declared = {name: mode.every for name, mode in sim.circuit.modes.items() if name != sim.compiled.data_mode}
    plans = {name: plan.every for name, plan in experiment.modes.items() if name in declared}
    planned = {name: every for name, every in plans.items() if every is not None}
    return {name: every for name, every in (declared | planned).items() if every}
