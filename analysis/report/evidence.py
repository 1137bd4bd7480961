"""What a report is made from: every run read once, and the runs gathered into systems."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from ..angles import delta_angles, local_angles, matrix_angles
from ..errors import AnalysisError
from ..grouping import COMPLETE, Identity, distinct, grouped
from ..kolen_pollack import kolen_pollack_theory
from ..run import Run
from ..texts import mapping
from ..weight_mirror import weight_mirror_theory
from .learning import Learning, learning

MOST_VALUES = 200_000_000  # weights over all snapshots that a report reads to set them beside theory: some seconds


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One run: what its file says, as frames and plain values.

    matrix: one row per projection and instant (`angle_degrees`, `norm_ratio`), as measured during the run where it was,
    else from the recorded weights. delta, local: one row per population and instant. shrinking, mirroring: what
    theory says of |W - B| and of a mirror's angles, beside what the weights say; empty where it says nothing, or where
    there are too many weights to read (`vast`). weights: how many projections' are recorded, at how many `snapshots`.
    """

    path: Path
    identity: Identity
    version: int
    about: Mapping[str, Any]
    results: Mapping[str, Any]
    environment: Mapping[str, Any]
    experiment: Mapping[str, Any]
    experiment_text: str
    circuit: Mapping[str, Any]
    circuit_text: str
    metrics: pd.DataFrame
    matrix: pd.DataFrame
    delta: pd.DataFrame
    local: pd.DataFrame
    shrinking: pd.DataFrame
    mirroring: pd.DataFrame
    learning: Learning
    weights: int
    snapshots: int
    vast: bool

    @property
    def seed(self) -> int:
        return int(self.about["seed"])

    @property
    def status(self) -> str:
        return str(self.about["status"])

    @property
    def complete(self) -> bool:
        return self.status == COMPLETE

    @property
    def transports(self) -> bool:
        return bool(self.about["transports_weights"])

    def number(self, name: str) -> float:
        """A result as a number; NaN where the run has none."""
        value = self.results.get(name)
        return float(value) if isinstance(value, int | float) else math.nan


@dataclass(frozen=True, kw_only=True)
class System:
    """Runs that differ in their seeds alone. `look` is the class of its color."""

    name: str
    runs: Sequence[Evidence]
    look: str

    @property
    def first(self) -> Evidence:
        return self.runs[0]

    @property
    def context(self) -> tuple[str, ...]:
        """Equal for systems that may be set beside each other: same circuit and settings."""
        return self.first.identity.context

    @cached_property
    def judged(self) -> Sequence[Evidence]:
        """The runs that count in tables: the complete ones, or all where there is none."""
        return [run for run in self.runs if run.complete] or self.runs

    @property
    def transports(self) -> bool:
        return any(run.transports for run in self.runs)

    def over_runs(self, of: Callable[[Evidence], pd.DataFrame], name: str, value: str) -> pd.DataFrame:
        """Mean, least and greatest over the counting runs of `value`, per layer and epoch: columns mean, min, max."""
        frames = [of(run) for run in self.judged]
        frames = [frame for frame in frames if len(frame)]
        if not frames:
            return pd.DataFrame(columns=[name, "depth", "epoch", "mean", "min", "max"])
        table = pd.concat(frames, ignore_index=True).groupby([name, "depth", "epoch"], sort=False)[value]
        return table.agg(["mean", "min", "max"]).reset_index().sort_values(["depth", "epoch"], ignore_index=True)


def evidence(run: Run) -> Evidence:
    """Reads all of a run that a report shows: of the weights, only what nothing else tells."""
    matrix = matrix_angles(run, source="recorded")
    text, circuit = run.experiment, run.circuit
    return Evidence(
        path=run.path,
        identity=Identity.of(run),
        version=run.version,
        about=run.attributes,
        results=run.results,
        environment=run.environment,
        experiment=mapping(text),
        experiment_text=text,
        circuit=mapping(circuit),
        circuit_text=circuit,
        metrics=run.metrics(),
        matrix=matrix if len(matrix) else matrix_angles(run),
        delta=delta_angles(run),
        local=local_angles(run, weighted=True),
        shrinking=_theory(run, kolen_pollack_theory, "expected_ratio"),
        mirroring=_theory(run, weight_mirror_theory, "expected_degrees"),
        learning=learning(mapping(circuit), run),
        weights=len(run.synapses),
        snapshots=len(run.steps),
        vast=_vast(run),
    )


def systems(runs: Sequence[Evidence]) -> list[System]:
    """The runs gathered: same learning system, circuit and settings, whatever the seed; in the order in which their
    experiments list them.
    """
    gathered = grouped(sorted(distinct(runs), key=_rank), lambda run: run.identity)
    return [
        System(name=name, runs=sorted(members, key=lambda run: run.seed), look=f"s{index % 8}")
        for index, (name, members) in enumerate(gathered.items())
    ]


def last(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of each layer's last instant."""
    return frame[frame["step"] == frame["step"].max()] if len(frame) else frame


def _theory(run: Run, of: Callable[[Run], pd.DataFrame], expected: str) -> pd.DataFrame:
    """The rows for which theory expects something."""
    if _vast(run) or not run.pairs:
        return pd.DataFrame(columns=[expected])
    try:
        return of(run).dropna(subset=[expected])
    except AnalysisError:  # the experiment does not say what theory needs
        return pd.DataFrame(columns=[expected])


def _vast(run: Run) -> bool:
    """Whether its weights are more than a page waits for."""
    return sum(math.prod(synapse.shape) for synapse in run.synapses.values()) * len(run.steps) > MOST_VALUES


def _rank(run: Evidence) -> int:
    """The place of a run's learning system in its experiment's list; one that is not named there comes last."""
    listed = run.experiment.get("learning")
    names = listed if isinstance(listed, list) else []
    return names.index(run.about["learning"]) if run.about["learning"] in names else len(names)
