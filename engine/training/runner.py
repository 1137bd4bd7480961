"""An experiment from its declaration to its recordings: every learning system with every seed, one file a run."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from ...circuits.declarations import Circuit, Mode
from ...circuits.errors import suggest
from ...circuits.expansion import expand
from ...circuits.graph import build_graph
from ...circuits.locality import prove
from ...circuits.writing import dump
from ..backends.registry import load_engine
from ..data import Dataset, check_fit
from ..recorder import About, GitState, Recorder
from ..simulator import compile
from .errors import ExperimentError, Interrupted
from .experiment import Experiment, explicit
from .interruption import Interruption
from .loop import Outcome, Training, check_batch
from .output import OutputFolder
from .progress import Progress, RunName, Silent
from .recording import Enrolment, environment
from .selectors import check_record


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


def prepare(experiment: Experiment, circuits: Sequence[Circuit]) -> Prepared:
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
    check_batch(experiment, dataset)
    return Prepared(experiment, dataset, tuple(systems))


def run_experiment(
    prepared: Prepared,
    output: OutputFolder,
    *,
    progress: Progress | None = None,
    finished: Finished | None = None,
) -> Finished:
    """Train every system with every seed: seeds outside, systems inside, so that what else the machine does
    meets all systems alike. Returns the finished runs; who wants them after an error passes `finished` in.

    Raises Diverged, and Interrupted for Ctrl-C; the recordings made until then stay readable.
    """
    progress, finished = progress or Silent(), finished or Finished()
    experiment = prepared.experiment
    _use_threads(experiment.threads)
    runs = [(system, seed) for seed in experiment.seeds for system in prepared.systems]
    with Interruption() as interruption:
        for number, (system, seed) in enumerate(runs, start=1):
            path = output.file(f"{_file_name(system.name)}-seed{seed}.h5")
            run = RunName(system=system.name, seed=seed, path=path)
            try:
                progress.run_started(run, number, len(runs), experiment.epochs)
                outcome = train(experiment, system, run, prepared.dataset, progress, interruption)
                finished.outcomes[path] = outcome
                progress.run_finished(run, outcome.test_accuracy, outcome.training_seconds)
            except KeyboardInterrupt:
                raise Interrupted(_saved(run, finished)) from None
    return finished


def train(
    experiment: Experiment,
    system: System,
    run: RunName,
    dataset: Dataset,
    progress: Progress,
    interruption: Interruption,
) -> Outcome:
    """One run, recorded in `run.path`."""
    sim = compile(
        system.explicit,
        engine=experiment.engine,
        dtype=experiment.dtype,
        seed=run.seed,
        device=experiment.device,
        consolidation=experiment.consolidation.consolidation,
        soft_targets=dataset.train.rates,
    )
    enrolment = Enrolment(sim.compiled.graph, experiment.record, dataset)
    about = About(
        circuit=dump(sim.circuit),
        circuit_name=sim.circuit.name,
        learning=system.name,
        seed=run.seed,
        transports_weights=prove(system.explicit).transports_weights,
        experiment=as_yaml(_with_probe_of(experiment, dataset)),
        environment=environment(),
        git=GitState.of(Path.cwd()),
    )
    with Recorder(run.path, about).enrol(*enrolment.recordables).prepare() as recorder:
        return Training(sim, dataset, experiment, run, recorder, enrolment, progress, interruption).run()


def as_yaml(experiment: Experiment) -> str:
    """The experiment as YAML that reads back to the same experiment. Every default is written out, so that it says the
    same where other versions have other ones.
    """
    return yaml.safe_dump(explicit(experiment), sort_keys=False)


def _with_probe_of(experiment: Experiment, dataset: Dataset) -> Experiment:
    """The experiment with the probe that its runs really take, which is at most all training samples."""
    probe = min(experiment.record.probe, len(dataset.train))
    return experiment.model_copy(update={"record": experiment.record.model_copy(update={"probe": probe})})


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
            message = f"has a mode with data, '{name}': samples and layers belong to one that runs on noise"
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


def _file_name(system: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", system)


def _saved(run: RunName, finished: Finished) -> str:
    whole = f"{len(finished.outcomes)} finished runs are" if len(finished.outcomes) != 1 else "1 finished run is"
    return (
        f"interrupted during {run}. {whole} saved beside {run.path}, which is readable and holds this run "
        "up to its last record"
    )
