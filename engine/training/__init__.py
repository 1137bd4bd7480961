"""Training: an experiment's declaration, its schedules, the loop, its checkpoints, and what comes of it."""

from .checkpoint import Checkpoint, load
from .company import ALONE, Company
from .errors import CheckpointError, Diverged, ExperimentError, Interrupted, Terminated
from .evaluation import Evaluation, evaluate
from .experiment import Experiment, as_yaml, read, reads
from .launch import company_of, restarted, tell_torchrun
from .loop import Training
from .outcome import Outcome
from .output import OutputFolder
from .preparation import Prepared, System, prepare
from .progress import EpochReport, Progress, RunName, Silent, StepReport, Together
from .results import RunFigures, SystemFigures, by_system, summary
from .runner import Finished, check_resumable, run_experiment
from .schedules import Constant, Cosine, Schedule, Step, multiplier
from .when import Instants

__all__ = [
    "ALONE",
    "Checkpoint",
    "CheckpointError",
    "Company",
    "Constant",
    "Cosine",
    "Diverged",
    "EpochReport",
    "Evaluation",
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
    "Terminated",
    "Together",
    "Training",
    "as_yaml",
    "by_system",
    "check_resumable",
    "company_of",
    "evaluate",
    "load",
    "multiplier",
    "prepare",
    "read",
    "reads",
    "restarted",
    "run_experiment",
    "summary",
    "tell_torchrun",
]
