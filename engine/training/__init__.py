"""Training: an experiment's declaration, its schedules, the loop, and what comes of it."""

from .errors import Diverged, ExperimentError, Interrupted
from .experiment import Experiment, read, reads
from .loop import Outcome, Training
from .output import OutputFolder
from .progress import EpochReport, Progress, RunName, Silent, StepReport, Together
from .results import RunFigures, SystemFigures, by_system, summary
from .runner import Finished, Prepared, System, as_yaml, prepare, run_experiment, train
from .schedules import Constant, Cosine, Schedule, Step, multiplier
from .when import Instants

__all__ = [
    "Constant",
    "Cosine",
    "Diverged",
    "EpochReport",
    "Experiment",
    "ExperimentError",
    "Finished",
    "Instants",
    "Interrupted",
    "Outcome",
    "OutputFolder",
    "Prepared",
    "Progress",
    "RunFigures",
    "RunName",
    "Schedule",
    "Silent",
    "Step",
    "StepReport",
    "System",
    "SystemFigures",
    "Together",
    "Training",
    "as_yaml",
    "by_system",
    "multiplier",
    "prepare",
    "read",
    "reads",
    "run_experiment",
    "summary",
    "train",
]
