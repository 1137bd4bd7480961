"""Weights: a snapshot of every enrolled projection, forward and feedback alike, at one instant."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Literal

import h5py
import numpy as np

from .compression import Compression, form_problems
from .datasets import chunk_shape, make_array, make_axes, share
from .precision import Precision
from .recordable import Field, Misfit, Recordable, check_known, name_problems

AXES = {2: ("out", "in"), 4: ("out", "in", "kernel_row", "kernel_column")}


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
    shape: tuple[int, ...]
    wiring: str
    role: Literal["forward", "feedback"] = "forward"
    reverse_of: str | None = None
    rules: Mapping[str, str] = field(default_factory=dict)
    tie: str | None = None
    unseen: np.ndarray | None = None


@dataclass(frozen=True)
class Weights(Recordable):
    """Weights of projections; forward ones in the order of the forward pass, each reverse anywhere.

    A record is a mapping from every one of these projections to its array; more may be in it than was enrolled.
    """

    synapses: Sequence[Synapse]
    precision: Precision = "float32"
    compression: Compression = "none"

    group: ClassVar[str] = "synapses"
    staged: ClassVar[bool] = True

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        return tuple(
            Field(path=f"{one.projection}/weights", shape=tuple(one.shape), precision=self.precision)
            for one in self.synapses
        )

    def problems(self) -> Iterator[str]:
        yield from name_problems("projection", [synapse.projection for synapse in self.synapses])
        shapes = {synapse.projection: tuple(synapse.shape) for synapse in self.synapses}
        for synapse in self.synapses:
            yield from _problems(synapse, shapes)
        yield from form_problems(self.precision, self.compression)

    def lay(self, root: h5py.Group) -> None:
        for position, synapse in enumerate(self.synapses):
            group = root.create_group(synapse.projection)
            share(group, root)
            axes = make_axes(group, AXES, synapse.shape)
            attributes = _attributes(synapse) | {"position": np.int64(position), "coordinates": "epoch"}
            make_array(
                group,
                "weights",
                axes,
                precision=self.precision,
                compression=self.compression,
                attributes=attributes,
            )
            if synapse.unseen is not None and synapse.unseen.any():
                _lay_unseen(group, synapse, axes)

    def rows(self, given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        check_known("projection", given, {synapse.projection for synapse in self.synapses})
        for synapse in self.synapses:
            name, shape = synapse.projection, tuple(synapse.shape)
            if name not in given:
                raise Misfit(f"weights must hold every enrolled projection (got none for {name!r})")
            array = np.asarray(given[name])
            if array.shape != shape:
                raise Misfit(f"weights of {name!r} must have shape {shape} (got {array.shape})")
            yield f"{name}/weights", array


def _attributes(synapse: Synapse) -> dict[str, str]:
    always = {name: getattr(synapse, name) for name in ("source", "target", "role", "wiring")}
    empty = {name: getattr(synapse, name) or "" for name in ("reverse_of", "tie")}
    return always | empty | {f"rule_{mode}": equation for mode, equation in synapse.rules.items()}


def _lay_unseen(group: h5py.Group, synapse: Synapse, axes: Sequence[h5py.Dataset]) -> None:
    shape = tuple(synapse.shape)
    mask = np.broadcast_to(synapse.unseen, shape).astype(np.uint8)  # type: ignore[arg-type]
    unseen = group.create_dataset("unseen", data=mask, chunks=chunk_shape(shape, 1)[1:], compression="gzip")
    for axis, scale in enumerate(axes):
        unseen.dims[axis].attach_scale(scale)


def _problems(synapse: Synapse, shapes: Mapping[str, tuple[int, ...]]) -> Iterator[str]:
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
