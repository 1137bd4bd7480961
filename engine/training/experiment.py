"""What an experiment is: the YAML that `counterstream run` reads, checked as a whole before anything starts."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    PrivateAttr,
    ValidationInfo,
    field_validator,
)

from ...circuits import validation, yamlfile
from ...circuits.declarations import Consolidation, Layers, Mode, Samples
from ...circuits.model import Declaration
from ...circuits.writing import as_text
from ..data import Data, DataSource
from .keeping import Keeping, KeepingOrNone
from .record import Record
from .schedules import Constant, Cosine, Schedule, Step
from .sharing import Sharing

Inline = dict[str, Any]
Learning = str | Inline
Seed = Annotated[int, Field(ge=0, lt=2**31)]


class Plasticity(Consolidation):
    """How synapses take up their drive (optimizer, rate, momentum, ...), and how the rate moves over training."""

    schedule: Schedule = Constant()
    warmup: float = Field(default=0, ge=0, description="Epochs over which the rate rises from 0, linearly.")

    @property
    def consolidation(self) -> Consolidation:
        """The part that the program needs."""
        return Consolidation(**self.model_dump(exclude={"schedule", "warmup"}, exclude_unset=True))

    def explicit(self) -> dict[str, Any]:
        """Every setting that the optimizer has, and the schedule with its own, as it is written in YAML."""
        foreign = {"betas", "epsilon"} if self.optimizer == "sgd" else {"momentum", "nesterov"}
        return self.model_dump(mode="json", exclude=foreign) | {"schedule": _chosen(self.schedule)}


class ModePlan(Declaration):
    """How often a mode other than the engaged one runs, on whom, and on how much noise."""

    every: int | None = Field(default=None, ge=0, description="After every n-th engaged step; 0: never.")
    layers: Layers | None = Field(default=None, description="In place of the learning system's own.")
    samples: Samples | None = Field(default=None, description="In place of the learning system's own.")

    def applied(self, mode: Mode) -> Mode:
        """The mode with what the plan says in the place of its own. How often it runs is the training loop's."""
        said = {"layers": self.layers, "samples": self.samples}
        return mode.model_copy(update={name: value for name, value in said.items() if value is not None})


def _listed(value: Any) -> Any:
    return value if isinstance(value, list | tuple) or value is None else [value]


@dataclass(frozen=True)
class _Source:
    """What an experiment was read from. All are equal: experiments are, where they say the same."""

    document: yamlfile.Document | None = field(default=None, compare=False)


class Experiment(Declaration):
    """One circuit, one or several learning systems, data, and how long and how often to train.

    Paths are relative to the file that the experiment stands in.
    """

    format: Literal[1] = Field(description="The version of this language.")
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", description="Names the output folder.")
    circuit: str | Inline = Field(description="A stock circuit's name, a path, or the circuit itself.")
    options: Inline = Field(default={}, description="Options of the circuit, such as its width.")
    learning: Annotated[tuple[Learning, ...] | None, BeforeValidator(_listed)] = Field(
        default=None,
        description="One learning system or a list: names, paths or inline. Default: the circuit's own.",
    )
    parameters: dict[str, float] = Field(
        default={}, description="Replace parameters of the learning systems, such as decay."
    )
    data: Data
    epochs: int = Field(ge=1, le=100_000)
    batch: int = Field(default=64, ge=1, description="Samples a step, over all processes together.")
    consolidation: Plasticity = Plasticity()
    modes: dict[str, ModePlan] = Field(
        default={}, description="How often and on how much noise modes other than the engaged one run."
    )
    seeds: tuple[Seed, ...] = Field(default=(0,), min_length=1)
    record: Record = Record()
    checkpoint: KeepingOrNone = Keeping()
    ranks: Sharing = Sharing()
    engine: str = "torch"
    device: str = "cpu"
    threads: int | None = Field(
        default=None, ge=1, le=1024, description="CPU threads. Default: torch's own choice, a thread a core."
    )
    dtype: Literal["float32", "float64", "bfloat16", "tf32"] = "float32"
    output: str | None = Field(default=None, description="Folder for the results. Default: runs/NAME where you stand.")

    _source: _Source = PrivateAttr(default=_Source())

    @property
    def document(self) -> yamlfile.Document | None:
        """What the experiment was read from, for the places of problems; None for one that was made in Python."""
        return self._source.document

    def written(self, document: yamlfile.Document) -> "Experiment":
        """The same experiment, as one that was read from `document`."""
        copy = self.model_copy()
        copy._source = _Source(document)
        return copy

    def placed(self, message: str, *path: str | int) -> str:
        """A message about the value at `path`, behind its place."""
        if self.document is None:
            return f"{yamlfile.path_text(path)}: {message}"
        return str(self.document.problem(message, path))

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(seeds)) < len(seeds):
            raise ValueError(f"must differ from each other (got {list(seeds)})")
        return seeds

    @field_validator("consolidation")
    @classmethod
    def _warm_in_time(cls, consolidation: Plasticity, info: ValidationInfo) -> Plasticity:
        epochs = info.data.get("epochs", math.inf)
        if consolidation.warmup > epochs:
            raise ValueError(f"warmup must be at most the {epochs} epochs of training (got {consolidation.warmup:g})")
        return consolidation


def read(path: str | Path) -> Experiment:
    """The experiment in a file, paths made absolute. Raises CircuitError with every problem and its place."""
    document = yamlfile.read_file(path)
    return resolved(validation.build(Experiment, document), Path(path).resolve().parent).written(document)


def reads(text: str, file: str = "<experiment>", folder: str | Path = ".") -> Experiment:
    """The experiment in a text; its paths are relative to `folder`."""
    document = yamlfile.read(text, file)
    return resolved(validation.build(Experiment, document), Path(folder).resolve()).written(document)


def resolved(experiment: Experiment, folder: Path) -> Experiment:
    """The experiment with every relative path in it made absolute, counted from `folder`."""
    changes: dict[str, Any] = {
        "circuit": _absolute(experiment.circuit, folder),
        "data": experiment.data.anchored(folder),
    }
    if experiment.learning is not None:
        changes["learning"] = tuple(_absolute(system, folder) for system in experiment.learning)
    if experiment.output is not None:
        changes["output"] = str(folder / experiment.output)
    return experiment.model_copy(update=changes)


def _absolute(value: str | Inline, folder: Path) -> str | Inline:
    """A path made absolute, that of the learning system inside an inline circuit too; names as they are."""
    if isinstance(value, dict):
        inner = value.get("learning")
        return {**value, "learning": _absolute(inner, folder)} if isinstance(inner, str) else value
    return str(folder / value) if is_path(value) else value


def explicit(experiment: Experiment) -> dict[str, Any]:
    """The experiment as plain data that read back to it, every default written out. What is missing has none, such as
    `threads`, which then are torch's own choice.
    """
    plain = experiment.model_dump(mode="json", by_alias=True)
    plain["data"] = _chosen(experiment.data)
    plain["consolidation"] = experiment.consolidation.explicit()
    plain["modes"] = {
        name: plan.model_dump(mode="json", by_alias=True, exclude_none=True) for name, plan in experiment.modes.items()
    }
    return {key: value for key, value in plain.items() if value is not None}


def as_yaml(experiment: Experiment) -> str:
    """The experiment as YAML that reads back to the same experiment. Every default is written out, so that it says the
    same where other versions have other ones.
    """
    return as_text(explicit(experiment))


def _chosen(choice: DataSource | Constant | Cosine | Step) -> str | dict[str, Any]:
    """A choice as it is written in YAML, its own defaults with it."""
    settings = choice.model_dump(mode="json")
    return {choice.kind: settings} if settings else choice.kind


def is_path(value: str) -> bool:
    """Whether a circuit or learning system is given as a path rather than by a stock name."""
    return value.endswith((".yaml", ".yml")) or "/" in value or "\\" in value
