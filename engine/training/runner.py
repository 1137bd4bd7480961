"""An experiment from its declaration to its recordings: every learning system with every seed, one file a run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from signal import SIGTERM

import yaml

from ...circuits.declarations import Circuit, Mode
from ...circuits.errors import suggest
from ...circuits.expansion import expand
from ...circuits.graph import build_graph
from ...circuits.locality import prove
from ...circuits.writing import dump
from ..backends.registry import load_engine
from ..data import Dataset, check_fit
from ..recorder import About, GitState, Recorder, SharedRecorder
from ..simulator import compile
from .checkpoint import Checkpoint
from .checkpoints import FILES, Checkpoints
from .company import ALONE, Company
from .errors import ExperimentError, Interrupted, Terminated
from .experiment import Experiment, explicit
from .identity import Identity, identity
from .interruption import Interruption, Stopped
from .loop import Training, check_batch
from .outcome import Outcome
from .output import OutputFolder, file_name
from .prior import Prior
from .progress import Progress, RunName, Silent
from .recording import Enrolment, environment
from .selectors import check_record

CHECKPOINTS = ".checkpoints"
"""What the folder of a run's checkpoints ends with, where its recording ends with .h5."""


@dataclass
class Finished:
    """The runs of an experiment that came to their end, in the order in which they did."""

    outcomes: dict[Path, Outcome] = field(default_factory=dict)

    @property
    def paths(self) -> list[Path]:
        return list(self.outcomes)


@dataclass(frozen=True)
class System:
    """One learning system of an experiment: its name, and the explicit circuit that learns by it."""

    name: str
    explicit: Circuit


@dataclass(frozen=True)
class Prepared:
    """An experiment whose parts were loaded and found to go together: nothing was written yet."""

    experiment: Experiment
    dataset: Dataset
    systems: tuple[System, ...]

    @property
    def runs(self) -> list[tuple[System, int]]:
        """Every system with every seed: seeds outside, so that what else the machine does meets all systems alike."""
        return [(system, seed) for seed in self.experiment.seeds for system in self.systems]


def prepare(experiment: Experiment, circuits: Sequence[Circuit], company: Company = ALONE) -> Prepared:
    """Load the data and see that `circuits`, the experiment's circuit with each of its learning systems, fit
    them.

    Raises every error that can be found without training.
    """
    dataset, systems = experiment.data.load(), [_system(circuit, experiment) for circuit in circuits]
    names = [system.name for system in systems]
    if len(set(names)) < len(names):
        message = f"systems must have different names (got {', '.join(names)})"
        raise ExperimentError(experiment.placed(message, "learning"))
    for system in systems:
        _check_data(system.explicit, dataset)
    _check_modes(systems, experiment)
    check_record([build_graph(system.explicit) for system in systems], experiment, dataset)
    load_engine(experiment.engine, dtype=experiment.dtype, device=experiment.device)
    check_batch(experiment, dataset, company)
    return Prepared(experiment, dataset, tuple(systems))


def run_experiment(
    prepared: Prepared,
    output: OutputFolder,
    *,
    progress: Progress | None = None,
    finished: Finished | None = None,
    company: Company = ALONE,
    resume: bool = False,
) -> Finished:
    """Train every system with every seed. Returns the finished runs; who wants them after an error passes `finished`.

    With `resume`, runs that `output` holds are taken up: finished ones stay as they are, others go on from their last
    checkpoint. In `company` all processes call it; rank 0's `output` counts. Raises Diverged, Interrupted for Ctrl-C
    and Terminated for SIGTERM; the recordings made until then stay readable.
    """
    progress, finished = progress or Silent(), finished or Finished()
    experiment = prepared.experiment
    _use_threads(experiment.threads)
    runs = prepared.runs
    with Interruption() as interruption:
        for number, (system, seed) in enumerate(runs, start=1):
            run = company.told(lambda: _named(system, seed, output))  # noqa: B023
            attempt = Attempt(experiment, system, run, prepared.dataset, company)
            try:
                prior = company.told(lambda: attempt.prior(output, progress.noted, resume=resume))  # noqa: B023
                if prior.outcome is None:
                    progress.run_started(run, number, len(runs), experiment.epochs)
                    finished.outcomes[run.path] = attempt.carry_out(prior, progress, interruption)
                    outcome = finished.outcomes[run.path]
                    progress.run_finished(run, outcome.test_accuracy, outcome.training_seconds)
                else:
                    progress.noted(f"{run}: finished before")
                    finished.outcomes[run.path] = prior.outcome
            except KeyboardInterrupt as stop:
                kind = Terminated if isinstance(stop, Stopped) and stop.number == SIGTERM else Interrupted
                raise kind(_saved(run, finished, goes_on=experiment.checkpoint is not None)) from None
    return finished


def check_resumable(prepared: Prepared, output: OutputFolder) -> None:
    """Raise CheckpointError where `output` holds runs that are not those of this experiment. Nothing is changed."""
    for system, seed in prepared.runs:
        attempt = Attempt(prepared.experiment, system, _named(system, seed, output), prepared.dataset)
        attempt.found(Silent().noted)


def _named(system: System, seed: int, output: OutputFolder) -> RunName:
    path = output.file(f"{file_name(system.name)}-seed{seed}.h5")
    return RunName(system=system.name, seed=seed, path=path)


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
        _settle_on(device)
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


def as_yaml(experiment: Experiment) -> str:
    """The experiment as YAML that reads back to the same experiment. Every default is written out, so that it says the
    same where other versions have other ones.
    """
    return yaml.safe_dump(explicit(experiment), sort_keys=False)


def _system(circuit: Circuit, experiment: Experiment) -> System:
    explicit = expand(circuit)
    modes = {
        name: experiment.modes[name].applied(mode) if name in experiment.modes else mode
        for name, mode in explicit.modes.items()
    }
    return System(explicit.system or "explicit", explicit.model_copy(update={"modes": modes}))


def _check_data(circuit: Circuit, dataset: Dataset) -> None:
    """Raise an error unless the circuit has one input and one output that the data fit."""
    inputs = [name for name, population in circuit.populations.items() if population.input is not None]
    outputs = [name for name, population in circuit.populations.items() if population.output_loss is not None]
    for kind, names in (("input", inputs), ("output", outputs)):
        if len(names) != 1:
            raise ExperimentError(
                f"circuit {circuit.name}: an experiment needs a circuit with one {kind} population "
                f"(got {', '.join(names) or 'none'}). Drive other circuits from Python: counterstream.compile"
            )
    shape, neurons = (circuit.populations[name] for name in (inputs[0], outputs[0]))
    check_fit(dataset, inputs[0], shape.input or (), outputs[0], (neurons.shape or (0,))[0])


def _check_modes(chosen: list[System], experiment: Experiment) -> None:
    """Raise ExperimentError for a mode of the experiment that none of its systems has."""
    circuits = [system.explicit for system in chosen]
    known = {name: mode for circuit in circuits for name, mode in _beside(circuit).items()}
    for name, plan in experiment.modes.items():
        if name not in known:
            hint = suggest(name, sorted(known), "modes")
            message = f"must be a mode that one of the learning systems runs beside the engaged one. {hint}"
            raise ExperimentError(experiment.placed(message, "modes", name))
        if not known[name].isolates and (plan.samples or plan.layers):
            message = f"must say 'every' alone: '{name}' runs on data, and has no samples and layers"
            raise ExperimentError(experiment.placed(message, "modes", name))


def _beside(circuit: Circuit) -> dict[str, Mode]:
    """The modes of an explicit circuit other than the engaged one, which is the first in which data flow."""
    engaged = next(name for name, mode in circuit.modes.items() if not mode.isolates)
    return {name: mode for name, mode in circuit.modes.items() if name != engaged}


def _use_threads(threads: int | None) -> None:
    """Small circuits run faster on one thread than on several that wait for each other."""
    if threads is not None:
        import torch

        torch.set_num_threads(threads)


def _settle_on(device: str) -> None:
    """On a GPU, let cuDNN try which of its convolutions are fastest for each shape, of which a run has few; and make
    the GPU this process's own, for threads that pin memory take no other name of it.
    """
    if device.startswith("cuda"):
        import torch

        torch.backends.cudnn.benchmark = True
        if ":" in device:
            torch.cuda.set_device(device)


def _saved(run: RunName, finished: Finished, *, goes_on: bool) -> str:
    whole = f"{len(finished.outcomes)} finished runs are" if len(finished.outcomes) != 1 else "1 finished run is"
    return (
        f"interrupted during {run}. {whole} saved beside {run.path}, which is readable and holds this run "
        f"up to its last record{'. Go on with --resume' if goes_on else ''}"
    )
