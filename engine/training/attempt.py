"""One run of an experiment, from what there is of it to its end."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from ...circuits.locality import prove
from ...circuits.writing import dump
from ..backends.registry import load_engine
from ..data import Dataset
from ..recorder import About, GitState, Recorder, SharedRecorder
from ..simulator import compile
from .checkpoint import Checkpoint
from .checkpoints import FILES, Checkpoints
from .company import ALONE, Company
from .experiment import Experiment, as_yaml
from .identity import Identity, identity
from .interruption import Interruption
from .loop import Training
from .machine import environment, settle_on
from .outcome import Outcome
from .output import OutputFolder
from .preparation import System
from .prior import Prior
from .progress import Progress, RunName
from .recording import Enrolment

CHECKPOINTS = ".checkpoints"
"""What the folder of a run's checkpoints ends with, where its recording ends with .h5."""


class Attempt:
    """One run, or one part of it, recorded in `run.path` and saved in a folder of its own beside it."""

    def __init__(
        self, experiment: Experiment, system: System, run: RunName, dataset: Dataset, company: Company = ALONE
    ) -> None:
        self.experiment, self.system, self.run = experiment, system, run
        self.dataset, self.company = dataset, company
        keep = experiment.checkpoint.keep if experiment.checkpoint else 1
        self.checkpoints = Checkpoints(run.path.with_suffix(CHECKPOINTS), self._identity(), keep=keep)

    def prior(self, output: OutputFolder, noted: Callable[[str], None], *, resume: bool) -> Prior:
        """What there is of the run; the folder of its checkpoints is made. Rank 0 only."""
        prior = self.found(noted) if resume else Prior()
        if self.experiment.checkpoint is not None and prior.outcome is None:
            output.folder(self.checkpoints.folder.name, FILES)
            self.checkpoints.prepare()
        return prior

    def found(self, noted: Callable[[str], None]) -> Prior:
        """What there is of the run. What a user should know of it is said to `noted`."""
        return Prior.of(self.run.path, self.checkpoints.identity, self.checkpoints, noted)

    def carry_out(self, prior: Prior, progress: Progress, interruption: Interruption) -> Outcome:
        """Train to the end. All processes of the company together."""
        device = load_engine(self.experiment.engine, dtype=self.experiment.dtype, device=self._device).device
        settle_on(device)
        sim = compile(
            self.system.explicit,
            engine=self.experiment.engine,
            dtype=self.experiment.dtype,
            seed=self.run.seed,
            device=device,
            consolidation=self.experiment.consolidation.consolidation,
            in_place=device != "cpu",  # where memory is short; elsewhere a run that diverges says more
            ranks=self.company.ranks,
            soft_targets=self.dataset.train.rates,
        )
        enrolment = Enrolment(sim.compiled.graph, self.experiment.record, self.dataset)
        keeps = self.company.leads and self.experiment.checkpoint is not None
        with self._recorder(enrolment, prior.checkpoint) as recorder:
            return Training(
                sim, self.dataset, self.experiment, self.run, recorder, enrolment, progress, interruption,
                self.company, self.checkpoints if keeps else None,
            ).run(prior.checkpoint)  # fmt: skip

    @property
    def _device(self) -> str:
        """Where this process computes."""
        return self.company.device or self.experiment.device

    def _recorder(self, enrolment: Enrolment, resumed: Checkpoint | None) -> Recorder | SharedRecorder:
        """The recording, open: that of the earlier part, cut back to where it is taken up, or a new one."""
        own = Recorder(self.run.path, self._about()).enrol(*enrolment.recordables) if self.company.leads else None
        recorder = SharedRecorder(own) if self.company.ranks is not None or own is None else own
        if resumed is None:
            return recorder.prepare(overwrite=True)  # the folder is ours, and nothing to keep is at this place
        return recorder.resume(resumed.step)

    def _about(self) -> About:
        circuit = self.system.explicit
        return About(
            circuit=dump(circuit),
            circuit_name=circuit.name,
            learning=self.system.name,
            seed=self.run.seed,
            transports_weights=prove(circuit).transports_weights,
            experiment=as_yaml(self._experiment_as_run),
            environment=environment(self._device) | {"ranks": str(self.company.size)},
            git=GitState.of(Path.cwd()),
        )

    def _identity(self) -> Identity:
        return identity(
            self._experiment_as_run,
            circuit=dump(self.system.explicit),
            system=self.system.name,
            seed=self.run.seed,
            dataset=self.dataset,
        )

    @cached_property
    def _experiment_as_run(self) -> Experiment:
        """The experiment with the probe that its runs really take, which is at most all training samples."""
        record = self.experiment.record
        probe = min(record.probe, len(self.dataset.train))
        return self.experiment.model_copy(update={"record": record.model_copy(update={"probe": probe})})
