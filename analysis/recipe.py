"""How a run was trained, as far as theory needs it: read from the experiment and the circuit that its file carries."""

import math
from dataclasses import dataclass
from typing import Any

import yaml

from .errors import AnalysisError
from .run import Run

LEFT_OUT = {
    "optimizer": "sgd",
    "rate": 0.1,
    "momentum": 0.0,
    "nesterov": False,
    "schedule": "constant",
    "warmup": 0,
}
"""What it meant to leave out a setting of `consolidation`, in files of formats 1 and 2 whose experiment stands as its
user wrote it (docs/hdf5-format.md). Later ones have every setting written out. Not the engine's defaults: these stay.
"""
LEFT_OUT_FACTOR = 0.1
"""The same of a step schedule's `factor`."""

LARGEST_DOCUMENT = 1 << 22  # characters of YAML: it is parsed at about half a million a second


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Consolidation, schedule and length of a run. Epochs are counted in steps of the recorded run."""

    optimizer: str
    rate: float
    momentum: float
    nesterov: bool
    schedule: Any
    warmup: float
    steps: int
    steps_per_epoch: int

    @classmethod
    def of(cls, run: Run) -> "Recipe":
        """From the recorded experiment. AnalysisError, with its name, for what it does not say."""
        experiment = document(run, "experiment")
        plan = experiment.get("consolidation")
        if not isinstance(plan, dict):
            plan = {}
        plan = LEFT_OUT | plan
        per_epoch = steps_per_epoch(run)
        return cls(
            optimizer=str(plan["optimizer"]),
            rate=number(run, plan["rate"], "consolidation.rate"),
            momentum=number(run, plan["momentum"], "consolidation.momentum"),
            nesterov=bool(plan["nesterov"]),
            schedule=plan["schedule"],
            warmup=number(run, plan["warmup"], "consolidation.warmup"),
            steps=round(number(run, experiment.get("epochs"), "epochs") * per_epoch),
            steps_per_epoch=per_epoch,
        )

    def rate_at(self, step: int) -> float:
        """The learning rate of step `step`, from 0: warm-up (step + 1) / (u + 1) over u steps, then the schedule."""
        start = round(self.warmup * self.steps_per_epoch)
        if step < start:
            return self.rate * (step + 1) / (start + 1)
        if self.schedule == "constant":
            return self.rate
        if self.schedule == "cosine":
            return self.rate * 0.5 * (1 + math.cos(math.pi * (step - start) / max(1, self.steps - start)))
        match self.schedule:
            case {"step": {"milestones": list(milestones), **rest}}:
                passed = sum(step >= round(float(at) * self.steps_per_epoch) for at in milestones)
                return self.rate * float(str(rest.get("factor", LEFT_OUT_FACTOR))) ** passed
        raise AnalysisError(
            f"the schedule {brief(self.schedule)} of the recorded experiment is not known to the theory"
        )


def document(run: Run, which: str) -> dict[str, Any]:
    """The recorded `experiment` or `circuit` as a mapping; AnalysisError if it is none."""
    text = getattr(run, which)
    if len(text) > LARGEST_DOCUMENT:
        raise AnalysisError(f"{run.path}: /{which}: must have at most {LARGEST_DOCUMENT} characters (got {len(text)})")
    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise AnalysisError(f"{run.path}: /{which}: must be YAML ({' '.join(str(error).split())})") from error
    if not isinstance(found, dict):
        raise AnalysisError(f"{run.path}: /{which}: must be a YAML mapping (got {type(found).__name__})")
    return found


def parameter(run: Run, circuit: dict[str, Any], name: str) -> float:
    """A rule's coefficient: a number as it stands, or a parameter of the circuit."""
    try:
        return float(name)
    except ValueError:
        parameters = circuit.get("parameters") or {}
        return number(run, parameters.get(name) if isinstance(parameters, dict) else None, f"parameters.{name}")


def number(run: Run, value: Any, what: str) -> float:
    """A number of the recorded texts; YAML reads 1e-3 as text."""
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = math.nan
    if not math.isfinite(found):
        raise AnalysisError(f"{run.path}: the recorded texts give no number for {what} (got {brief(value)})")
    return found


def brief(value: Any) -> str:
    """A value for a message. Of a collection its kind alone: through aliases, a short text may spell an endless one."""
    return repr(value)[:80] if isinstance(value, str | int | float | bool | None) else f"a {type(value).__name__}"


def steps_per_epoch(run: Run) -> int:
    """From the last record after the start of training. AnalysisError where there is none."""
    for group in ("metrics", "synapses", "alignment"):
        instants = run.instants(group)
        if len(instants) and 0 < instants.epochs[-1] < math.inf:
            return max(1, round(instants.steps[-1] / instants.epochs[-1]))
    raise AnalysisError(f"{run.path}: the steps of an epoch cannot be told: no record after the start of training")
