"""Training one compiled circuit with one seed: engaged steps, other modes in between, records, and the end of it."""

import math
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from ..data import Batch, Dataset
from ..recorder import Recorder, SharedRecorder
from ..simulator import Simulator
from .checkpoint import Checkpoint
from .checkpoints import Checkpoints
from .company import ALONE, Company
from .errors import Diverged
from .evaluation import Evaluation, evaluate
from .experiment import Experiment
from .finite import first_not_finite
from .interruption import Interruption
from .outcome import Outcome
from .position import Course
from .preparation import check_batch
from .progress import EpochReport, Progress, Pulse, RunName, Silent
from .recording import Enrolment, NotFinite, Observer
from .saving import Saver, Word
from .schedules import multiplier
from .tallies import Tallies

ENGAGED = ""  # the key of engaged steps among the durations; no mode has an empty name


class Training:
    """One run. `sim` is a compiled circuit with its initial state; `recorder` an open recording of what `enrolment`
    says; `checkpoints`, if any, where the run is saved.

    1. Of each state, the first and the last included, that is recorded which is due in it. Then it is saved, if that
       is due: a checkpoint follows the records of its own state.
    2. Before each engaged step the rate's multiplier is set; after it the other modes that are due run, once
       each.
    3. Ctrl-C and SIGTERM take effect after an engaged step: the state is recorded and saved, and Stopped is raised.
    4. A loss or a weight to be recorded that is not finite raises Diverged; nothing is recorded after it.
    5. In company every process trains on its share of each batch and calls the same; after each step they agree, in
       one small exchange, whether to stop and whether to save. Rank 0 looks, records, saves and talks.
    """

    def __init__(
        self,
        sim: Simulator,
        dataset: Dataset,
        experiment: Experiment,
        run: RunName,
        recorder: Recorder | SharedRecorder,
        enrolment: Enrolment,
        progress: Progress | None = None,
        interruption: Interruption | None = None,
        company: Company = ALONE,
        checkpoints: Checkpoints | None = None,
    ) -> None:
        self.sim, self.dataset, self.experiment = sim, dataset, experiment
        self.run_name, self.progress = run, progress or Silent()
        self.recorder, self.company = recorder, company
        check_batch(experiment, dataset, company)
        self.course = Course(
            samples=len(dataset.train), batch=experiment.batch, epochs=experiment.epochs, seed=run.seed
        )
        self.steps, self.per_epoch = self.course.steps, self.course.per_epoch
        self.modes = mode_intervals(sim, experiment)
        self.step = 0
        self.recorded_step: int | None = None
        self._tallies = Tallies()
        self._validation: Evaluation | None = None  # the last one of the present epoch
        self._skipped = 0  # bad files of all processes
        self._saver = Saver(experiment.checkpoint, checkpoints, company, interruption or Interruption())
        self._observer = Observer(sim, enrolment, self.steps, self.per_epoch)
        self._pulse = Pulse(self.progress, run, steps=self.steps, steps_per_epoch=self.per_epoch)

    def run(self, resumed: Checkpoint | None = None) -> Outcome:
        """Train to the end, from the start or from what was saved, and return what came of it; results go to the
        recording as well.
        """
        if resumed is None:
            self._record()
        else:
            self._take_up(resumed)
        while self.step < self.steps:
            self._epoch()
        outcome = self._outcome()
        for name, value in vars(outcome).items():
            if value is not None:
                self.recorder.result(name, value)
        self.company.told(self._saver.finish)
        return outcome

    def _epoch(self) -> None:
        """The steps that are left of the present epoch."""
        draws = self.course.rest_of_epoch(self.step, self.company)
        device = self.sim.engine.device
        with self.dataset.train.stream(draws, seed=self.run_name.seed, device=device) as batches:
            for batch, waited in _timed(batches):
                word = self._train(batch, waited)
                self._validation = self._record() or self._validation
                self._save(word)
        mean, validation = self._tallies.end_epoch(), self._validation
        self._validation = None
        report = EpochReport(
            epoch=self.step // self.per_epoch,
            epochs=self.experiment.epochs,
            step=self.step,
            loss=mean.loss,
            accuracy=mean.accuracy,
            images_per_second=mean.images_per_second(self.experiment.batch),
            data_wait_share=mean.data_wait_share,
            validation_accuracy=validation.accuracy if validation else None,
            validation_top5_accuracy=validation.top5_accuracy if validation else None,
            matrix_angle=self._observer.matrix_angle,
            delta_angle=self._observer.delta_angle,
        )
        self.progress.epoch_finished(self.run_name, report)
        self._tell_of_skipped()

    def _tell_of_skipped(self) -> None:
        """Say how many bad files were replaced so far, where there are more than there were."""
        skipped = self.dataset.train.skipped
        if skipped is None:
            return
        number = int(self.company.sums([len(skipped)])[0])
        if number > self._skipped:
            first = "".join(f", such as {name} ({reason})" for name, reason in list(skipped.items())[:1])
            self.progress.noted(f"{self.run_name}: {number} bad files replaced so far{first}")
        self._skipped = number

    # ---- steps

    def _train(self, batch: Batch, waited: float) -> Word:
        """One engaged step and the modes that are due after it; what all processes agree on then."""
        self.sim.rate = self.rate
        started = time.perf_counter()
        result = self.sim.step(batch.images, batch.target)
        seconds = self._tallies.took(ENGAGED, 0, started)
        if not math.isfinite(result["loss"]):
            raise self._diverged(f"the loss must stay finite (got {result['loss']})", result["loss"])
        self.step += 1
        for mode, every in self.modes.items():
            if self.step % every == 0:
                started, turn = time.perf_counter(), self.sim.turn(mode)
                self._beside(mode, batch)
                seconds += self._tallies.took(mode, turn, started)
        accuracy = result.get("accuracy", math.nan)
        figures = {"loss": result["loss"], "accuracy": accuracy, "seconds": seconds, "waited": waited}
        self._tallies.add(**figures)
        self._pulse.step(
            self.step,
            images=self.experiment.batch,
            matrix_angle=self._observer.matrix_angle,
            delta_angle=self._observer.delta_angle,
            **figures,
        )
        return self._saver.agree()

    def _beside(self, mode: str, batch: Batch) -> None:
        """One step of another mode: on noise, or on the batch that the engaged step has seen."""
        if self.sim.circuit.modes[mode].isolates:
            self.sim.run(mode, steps=1)
        else:
            self.sim.step(batch.images, batch.target, mode=mode)

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

    # ---- records

    def _record(self) -> Evaluation | None:
        """Hand over what is due in this state; the validation where it was measured for it."""
        given: dict[str, Any] = {}
        validation: Evaluation | None = None
        looks = self.company.leads
        if self._observer.due("weights", self.step):
            given["weights"] = self._observer.weights() if looks else {}
        if self._observer.due("signals", self.step):
            given["signals"] = self._observer.signals() if looks else {}
        if self._observer.due("angles", self.step):
            given["alignment"] = self._observer.alignment() if looks else {}
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

    def _metrics(self, validation: Evaluation | None) -> dict[str, float]:
        """Means since the last row, and what the validation measured."""
        since = self._tallies.end_row()
        figures = validation.figures if validation else {}
        return {
            "loss": since.loss,
            "accuracy": since.accuracy,
            "rate": self.rate,
            "images_per_second": since.images_per_second(self.experiment.batch),
            "data_wait": since.waited,
            **{f"validation_{name}": value for name, value in figures.items()},
        }

    def _validate(self) -> Evaluation | None:
        if self.dataset.validation is None:
            return None
        measured = evaluate(self.sim, self.dataset.validation, company=self.company)
        self._saver.measured(self.step, measured.accuracy)
        return measured

    def _outcome(self) -> Outcome:
        test = evaluate(self.sim, self.dataset.test, company=self.company)
        validation = self._validate()
        return Outcome(
            steps=self.step,
            test_loss=test.loss,
            test_accuracy=test.accuracy,
            test_top5_accuracy=test.top5_accuracy,
            validation_accuracy=validation.accuracy if validation else None,
            validation_top5_accuracy=validation.top5_accuracy if validation else None,
            training_seconds=self._tallies.seconds,
            seconds_per_step=self._tallies.seconds_per_step(self.step),
            data_wait=self._tallies.waited,
        )

    # ---- saving, stopping, going on

    def _save(self, word: Word) -> None:
        """Save this state if that is due; stop if it is agreed on."""
        if self._saver.is_due(self.step, word, steps=self.steps, steps_per_epoch=self.per_epoch):
            self._saver.save(self.sim, self.step, self._progress, self.recorder.mark)
        self._saver.heed(word)

    def _progress(self) -> dict[str, Any]:
        """What the loop counts, as plain values."""
        at_end = self.step % self.per_epoch == 0
        return {
            "recorded_step": self.recorded_step,
            "tallies": self._tallies.saved(at_end_of_epoch=at_end),
            "validation": asdict(self._validation) if self._validation and not at_end else None,
            "best": list(self._saver.best) if self._saver.best else None,
            "angles": [self._observer.matrix_angle, self._observer.delta_angle],
        }

    def _take_up(self, saved: Checkpoint) -> None:
        """Be where a run was when it was saved."""
        progress = saved.progress
        self.sim.load_state_dict(saved.state)
        self.step, self.recorded_step = saved.step, progress["recorded_step"]
        self._tallies = Tallies.of(progress["tallies"])
        measured = progress.get("validation")  # which earlier versions did not save
        self._validation = Evaluation(**measured) if measured else None
        self._saver.best = (progress["best"][0], progress["best"][1]) if progress["best"] else None
        self._observer.matrix_angle, self._observer.delta_angle = progress["angles"]

    def _diverged(self, what: str, loss: float = 0.0) -> Diverged:
        return Diverged(
            f"{self.run_name}: step {self.step + 1} (epoch {int(self.epoch) + 1}): {what}. "
            f"Not finite first in {first_not_finite(self.sim, loss)}. Lower consolidation.rate "
            f"(now {self.experiment.consolidation.rate:g}), or warm up; {self.run_name.path} is readable and "
            f"holds the run "
            f"up to step {self.recorded_step}"
        )


def _timed(batches: Iterator[Batch]) -> Iterator[tuple[Batch, float]]:
    """Each batch, with the seconds that were waited for it."""
    while True:
        started = time.perf_counter()
        batch = next(batches, None)
        if batch is None:
            return
        yield batch, time.perf_counter() - started


def mode_intervals(sim: Simulator, experiment: Experiment) -> dict[str, int]:
    """Every mode but the engaged one, and after how many engaged steps it runs: the experiment's word, else the
    system's.
    """
    declared = {name: mode.every for name, mode in sim.circuit.modes.items() if name != sim.compiled.data_mode}
    plans = {name: plan.every for name, plan in experiment.modes.items() if name in declared}
    planned = {name: every for name, every in plans.items() if every is not None}
    return {name: every for name, every in (declared | planned).items() if every}
