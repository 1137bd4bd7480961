"""Signals: what chosen populations do with the probe, a fixed batch of training samples."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal

import h5py
import numpy as np

from .compression import Compression, form_problems
from .datasets import make_array, make_axes, share
from .precision import Precision
from .recordable import RESERVED, Field, Misfit, Recordable, check_known, name_problems

What = Literal["rate", "delta"]
WHAT: tuple[What, ...] = ("rate", "delta")
AXES = {1: ("channel",), 3: ("channel", "row", "column")}


@dataclass(frozen=True, kw_only=True)
class Signal:
    """A population, its shape, and what is recorded of it. `partner`: its feedback partner, whose rate its delta is."""

    population: str
    shape: tuple[int, ...]
    what: Sequence[What] = WHAT
    partner: str | None = None


@dataclass(frozen=True)
class Signals(Recordable):
    """Rates and deltas of populations, in the order of the forward pass, on the probe.

    `samples` are the positions of the probe's samples in the training data, `labels` their classes if they have any.
    A record is a mapping from every one of these populations to {"rate": array, "delta": array}, samples first.
    """

    signals: Sequence[Signal]
    samples: Sequence[int] = ()
    labels: Sequence[int] | None = None
    precision: Precision = "float32"
    compression: Compression = "none"

    group: ClassVar[str] = "signals"
    staged: ClassVar[bool] = True

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        return tuple(
            Field(path=f"{one.population}/{what}", shape=(len(self.samples), *one.shape), precision=self.precision)
            for one in self.signals
            for what in one.what
        )

    def problems(self) -> Iterator[str]:
        names = [signal.population for signal in self.signals]
        yield from name_problems("population", names, RESERVED | {"sample", "label"})
        for signal in self.signals:
            if min(signal.shape, default=0) < 1:
                yield f"population {signal.population!r}: shape must list positive sizes (got {tuple(signal.shape)})"
            if not signal.what or len(set(signal.what)) < len(signal.what) or not {*signal.what} <= {*WHAT}:
                yield f"population {signal.population!r}: what must list rate, delta or both (got {list(signal.what)})"
        if self.signals and (not len(self.samples) or len(set(self.samples)) < len(self.samples)):
            yield "samples must list the probe's samples, each once"
        if self.labels is not None and len(self.labels) != len(self.samples):
            yield f"labels must be as many as samples, {len(self.samples)} (got {len(self.labels)})"
        yield from form_problems(self.precision, self.compression)

    def lay(self, root: h5py.Group) -> None:
        if not self.signals:
            return
        sample = root.create_dataset("sample", data=np.asarray(self.samples, "<i8"))
        sample.make_scale("sample")
        sample.attrs["long_name"] = "position in the training data"
        coordinates = ["sample"]
        if self.labels is not None:
            root.create_dataset("label", data=np.asarray(self.labels, "<i8")).dims[0].attach_scale(sample)
            coordinates.append("label")
        for position, signal in enumerate(self.signals):
            group = root.create_group(signal.population)
            share(group, root, *coordinates)
            attributes = {
                "partner": signal.partner or "",
                "position": np.int64(position),
                "coordinates": " ".join(["epoch", *coordinates[1:]]),
            }
            axes = [group["sample"], *make_axes(group, AXES, signal.shape)]
            for what in signal.what:
                make_array(
                    group, what, axes, precision=self.precision, compression=self.compression, attributes=attributes
                )

    def rows(self, given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        check_known("population", given, {signal.population for signal in self.signals})
        for signal in self.signals:
            name, shape = signal.population, (len(self.samples), *signal.shape)
            own = given.get(name, {})
            for what in signal.what:
                if what not in own:
                    raise Misfit(f"signals must hold the {what} of every enrolled population (got none for {name!r})")
                array = np.asarray(own[what])
                if array.shape != shape:
                    raise Misfit(f"the {what} of {name!r} must have shape {shape} (got {array.shape})")
                yield f"{name}/{what}", array
