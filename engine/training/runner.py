"""An experiment from its preparation to its recordings: every learning system with every seed, one file a run."""

from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGTERM

from .attempt import Attempt
from .company import ALONE, Company
from .errors import Interrupted, Terminated
from .interruption import Interruption, Stopped
from .machine import use_threads
from .outcome import Outcome
from .output import OutputFolder, file_name
from .preparation import Prepared, System
from .progress import Progress, RunName, Silent


@dataclass
class Finished:
    """The runs of an experiment that came to their end, in the order in which they did."""

    outcomes: dict[Path, Outcome] = field(default_factory=dict)

    @property
    def paths(self) -> list[Path]:
        return list(self.outcomes)


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
    use_threads(experiment.threads)
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


def _saved(run: RunName, finished: Finished, *, goes_on: bool) -> str:
    whole = f"{len(finished.outcomes)} finished runs are" if len(finished.outcomes) != 1 else "1 finished run is"
    return (
        f"interrupted during {run}. {whole} saved beside {run.path}, which is readable and holds this run "
        f"up to its last record{'. Go on with --resume' if goes_on else ''}"
    )
