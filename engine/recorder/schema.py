"""What a run will record, declared before it starts: every dataset of the file follows from it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from .errors import RecordingError

RESERVED = frozenset({"step", "epoch"})  # the coordinates stand beside the projections, populations and metrics


@dataclass(frozen=True, kw_only=True)
class Synapse:
    """The weights of one projection.

    W is stored (out, in[, rows, columns]); B, the weights of the reverse projection, in W's shape, so that
    alignment means B = W. `rules` gives the equation of each mode in which the projection learns; `tie` is
    "transpose_of X", "sign_of X" or None. `unseen` marks the taps that no position sees (broadcastable to
    `shape`): they are no synapses, and angles leave them out.
    """

    projection: str
    source: str
    target: str
    role: Literal["forward", "feedback"]
    reverse_of: str | None = None
    rules: Mapping[str, str] = field(default_factory=dict)
    tie: str | None = None
    shape: tuple[int, ...]
    wiring: str
    unseen: np.ndarray | None = None


@dataclass(frozen=True, kw_only=True)
class Schema:
    """One run: what it is (circuit and experiment as YAML text, seed, environment) and what it records.

    `synapses` stand in the order of the forward pass, each reverse projection anywhere. `populations` are
    those with delta angles; `metrics` name the columns of the metrics table, one row per `Recorder.metrics`.
    """

    circuit: str
    circuit_name: str
    learning: str
    transports_weights: bool
    environment: Mapping[str, str]
    seed: int
    experiment: str
    synapses: Sequence[Synapse]
    populations: Sequence[str] = ()
    metrics: Sequence[str] = ()

    def check(self) -> None:
        """Raises RecordingError with every problem found, one a line."""
        problems = list(_problems(self))
        if problems:
            raise RecordingError("\n".join(problems))


def _problems(schema: Schema) -> Iterator[str]:
    yield from _name_problems("projection", [synapse.projection for synapse in schema.synapses])
    yield from _name_problems("population", schema.populations)
    yield from _name_problems("metric", schema.metrics)
    shapes = {synapse.projection: tuple(synapse.shape) for synapse in schema.synapses}
    for synapse in schema.synapses:
        yield from _synapse_problems(synapse, shapes)


def _name_problems(kind: str, names: Iterable[str]) -> Iterator[str]:
    """Names stand verbatim: HDF5 allows all but "/" and NUL in a link, and "." names the group itself."""
    for name, count in Counter(names).items():
        if not name or name == "." or "/" in name or "\0" in name:
            yield f"{kind} {name!r}: a recorded name must not be empty or '.', nor hold '/' or NUL. Rename it"
        elif name in RESERVED:
            yield f"{kind} {name!r}: the recording keeps this name for its own coordinate. Rename it"
        if count > 1:
            yield f"{kind} {name!r}: recorded names must be unique (got it {count} times)"


def _synapse_problems(synapse: Synapse, shapes: Mapping[str, tuple[int, ...]]) -> Iterator[str]:
    place = f"projection {synapse.projection!r}"
    shape = tuple(synapse.shape)
    if not shape or min(shape) < 1:
        yield f"{place}: shape must list positive sizes (got {shape})"
    forward = shapes.get(synapse.reverse_of or "")
    if forward is not None and forward != shape:
        yield f"{place}: the reverse of {synapse.reverse_of!r} must have its shape {forward} (got {shape})"
    if synapse.unseen is not None and not _broadcasts(synapse.unseen, shape):
        yield f"{place}: unseen must be boolean and broadcast to {shape} (got {np.shape(synapse.unseen)})"


def _broadcasts(mask: np.ndarray, shape: tuple[int, ...]) -> bool:
    try:
        return mask.dtype == np.bool_ and np.broadcast_shapes(mask.shape, shape) == shape
    except ValueError:
        return False
