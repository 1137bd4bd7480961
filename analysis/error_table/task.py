"""What a run was trained on, as far as its recording tells: the forward network, the data, and how much of them."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..errors import AnalysisError
from ..recipe import steps_per_epoch
from ..run import Run
from ..texts import mapping
from .published import PublishedTask

PLACES = ("folder", "packed", "file")  # keys of `data` that say where the images lie
FORWARD = ("input", "shape", "normalize", "transfer", "dropout", "loss")  # what makes a forward population


@dataclass(frozen=True, kw_only=True)
class Task:
    """None stands for what the recording does not tell.

    images: training images an epoch, from steps and batch: up to one batch too few, since what fills none is left out.
    set_aside: those cut from the training images to watch the run.
    network: equal for equal forward networks, whatever learns in them.
    """

    circuit: str
    network: str
    data: str
    classes: int | None
    shape: tuple[int, ...]
    epochs: int | None
    batch: int | None
    images: int | None
    set_aside: int = 0

    @classmethod
    def of(cls, run: Run) -> "Task":
        experiment = mapping(run.experiment)
        epochs, batch = (_count(experiment.get(name)) for name in ("epochs", "batch"))
        network, shape, classes = _network(run.circuit)
        return cls(
            circuit=str(run.attributes["circuit_name"]),
            network=network,
            data=_data(experiment.get("data")),
            classes=classes,
            shape=shape,
            epochs=epochs,
            batch=batch,
            images=_images(run, batch),
            set_aside=_set_aside(experiment.get("data")),
        )

    def is_of(self, other: PublishedTask) -> bool:
        """Whether classes and number of training images are the other's. What the images show is not recorded."""
        if self.batch is None or self.images is None:
            return False
        return self.classes == other.classes and 0 <= other.images - self.set_aside - self.images < self.batch

    def __str__(self) -> str:
        parts = [self.data]
        if self.images is not None:
            parts.append(f"about {self.images:,} training images")
        if self.classes is not None:
            parts.append(f"{self.classes:,} classes")
        if self.shape:
            parts.append(" x ".join(map(str, self.shape)))
        if self.epochs is not None:
            parts.append(f"{self.epochs:,} epoch{'s' if self.epochs != 1 else ''}")
        if self.batch is not None:
            parts.append(f"batch {self.batch:,}")
        return ", ".join(parts)


def _data(declared: Any) -> str:
    """The kind of data, with the place where one is named."""
    if isinstance(declared, dict) and len(declared) == 1:
        kind, settings = next(iter(declared.items()))
        if isinstance(settings, dict):
            settings = next((settings[key] for key in PLACES if settings.get(key)), None)
        return f"{kind} ({settings})" if isinstance(settings, str) else str(kind)
    return declared if isinstance(declared, str) else "data not recorded"


def _set_aside(declared: Any) -> int:
    settings = next(iter(declared.values()), None) if isinstance(declared, dict) else None
    return (_count(settings.get("validation")) or 0) if isinstance(settings, dict) else 0


@lru_cache(maxsize=64)
def _network(text: str) -> tuple[str, tuple[int, ...], int | None]:
    """(fingerprint of the forward network, shape of its input, neurons of its output) of an explicit circuit."""
    circuit = mapping(text)
    populations = _mappings(circuit.get("populations"))
    forward = {name: value for name, value in populations.items() if "partner" not in value}
    projections = circuit.get("projections")
    joined = [
        (str(one.get("from")), str(one.get("to")), str(one.get("wiring")))
        for one in (projections if isinstance(projections, list) else ())
        if isinstance(one, dict) and one.get("from") in forward and one.get("to") in forward
    ]
    described = [(name, *(str(value.get(key)) for key in FORWARD)) for name, value in forward.items()]
    inputs = [value["input"] for value in forward.values() if _is_shape(value.get("input"))]
    outputs = [value["shape"] for value in forward.values() if "loss" in value and _is_shape(value.get("shape"))]
    return (
        str((sorted(described), sorted(joined))),
        tuple(inputs[0]) if len(inputs) == 1 else (),
        outputs[0][0] if len(outputs) == 1 else None,
    )


def _mappings(value: Any) -> dict[str, dict[str, Any]]:
    return {str(k): v for k, v in value.items() if isinstance(v, dict)} if isinstance(value, dict) else {}


def _is_shape(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(size, int) for size in value)


def _images(run: Run, batch: int | None) -> int | None:
    try:
        return None if batch is None else steps_per_epoch(run) * batch
    except AnalysisError:
        return None


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and value > 0 else None
