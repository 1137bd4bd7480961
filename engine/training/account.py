"""What stands beside the recordings, so that a folder explains itself: the experiment, its circuits, the machine."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from ...circuits.writing import dump
from ..recorder import GitState
from .experiment import Experiment, as_yaml
from .machine import environment
from .output import OutputFolder, file_name
from .preparation import Prepared

README, EXPERIMENT, ENVIRONMENT, LOG, JOURNAL = (
    "README.txt", "experiment.yaml", "environment.json", "log.txt", "metrics.jsonl",
)  # fmt: skip

TEXT = """\
{name}: an experiment of Counterstream.

  {command}

README.txt            this page
experiment.yaml       the experiment as it ran, every setting written out: counterstream run experiment.yaml
circuit-SYSTEM.yaml   the network with that learning system, every population, projection and rule
SYSTEM-seedN.h5       the recording of one run: counterstream analyze, report and table read it; docs/hdf5-format.md
metrics.jsonl         figures of all runs as they came, a JSON object a line
log.txt               what the screen said, and how it ended
environment.json      versions, machine, the commands that were given, when, and to how many processes
SYSTEM-seedN.checkpoints   states of a run to go on from: counterstream run ... --resume; docs/experiments.md
SYSTEM-seedN.tensorboard   the figures once more, where --tensorboard was given: tensorboard --logdir FOLDER
summary.json          what finished runs came to, with angles.png

Runs: {systems}; seeds {seeds}.
"""


def write_account(output: OutputFolder, prepared: Prepared, command: str, processes: int = 1) -> None:
    """Write all of it. In a folder that is gone on with, the commands given before stay on record. `processes`: how
    many carry the experiment out together.
    """
    experiment = prepared.experiment
    for system in prepared.systems:
        output.write(f"circuit-{file_name(system.name)}.yaml", dump(system.explicit))
    output.write(EXPERIMENT, f"# {command}\n{as_yaml(experiment)}")
    started = {"command": command, "time": datetime.now(UTC).isoformat(timespec="seconds"), "processes": processes}
    told = {"environment": _environment(experiment), "started": [*_started(output.file(ENVIRONMENT)), started]}
    output.write(ENVIRONMENT, json.dumps(told, indent=1) + "\n")
    text = TEXT.format(
        name=experiment.name,
        command=command,
        systems=_listed([system.name for system in prepared.systems]),
        seeds=_listed(experiment.seeds),
    )
    output.write(README, text)


def _environment(experiment: Experiment) -> dict[str, object]:
    git = GitState.of(Path.cwd())
    return {**environment(experiment.device), "git_commit": git.commit, "git_dirty": git.dirty}


def _started(path: Path) -> list[object]:
    """The commands that earlier parts were given, with their times."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["started"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return found if isinstance(found, list) else []


def _listed(items: Sequence[object]) -> str:
    return ", ".join(map(str, items))
