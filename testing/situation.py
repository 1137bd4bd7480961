"""What the synapses between two small populations see in one batch: the plain numbers that a rule is tested with."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import numpy as np

from .numbers import Array, Rows, mapped, rows

Side: TypeAlias = Literal["pre", "post"]


@dataclass(frozen=True)
class Situation:
    """Activities of both sides by compartment, one row a sample, one number a neuron; weights, one row a post neuron;
    modulators by name, one number a sample.
    """

    w: Rows
    pre: dict[str, Rows] = field(default_factory=dict)
    post: dict[str, Rows] = field(default_factory=dict)
    mod: dict[str, list[float]] = field(default_factory=dict)
    reverse: Rows | None = None
    """Weights of the synapses that run the other way, where the rule reads them; laid out as w."""

    def __post_init__(self) -> None:
        """Raise ValueError where the numbers do not fit together: people may write some of their own."""
        targets, sources = len(self.w), len(self.w[0]) if self.w else 0
        of_weights = {"w": self.w} if self.reverse is None else {"w": self.w, "reverse.w": self.reverse}
        _check(of_weights, targets, sources)
        if not (targets and sources and self.samples):
            raise ValueError("there must be a sample, and a neuron on either side")
        _check({f"pre.{name}": values for name, values in self.pre.items()}, self.samples, sources)
        _check({f"post.{name}": values for name, values in self.post.items()}, self.samples, targets)
        if any(len(values) != self.samples for values in self.mod.values()):
            raise ValueError(f"modulators must have {self.samples} numbers, one a sample")

    @property
    def samples(self) -> int:
        """How many samples the batch holds; 1 where the rule reads none."""
        counts = [len(values) for side in (self.pre, self.post) for values in side.values()]
        return (counts or [len(values) for values in self.mod.values()] or [1])[0]

    @property
    def weights(self) -> Array:
        return np.asarray(self.w, np.float64)

    def activity(self, side: Side) -> dict[str, Array]:
        """Compartments of one side as arrays (samples, neurons)."""
        return {name: np.asarray(values, np.float64) for name, values in getattr(self, side).items()}

    def with_weights(self, weights: Array) -> "Situation":
        return replace(self, w=rows(weights))

    def with_opposite_weights(self) -> "Situation":
        """The same with the signs of all weights changed."""
        reverse = None if self.reverse is None else mapped(self.reverse, lambda weights: -weights)
        return replace(self.with_weights(-self.weights), reverse=reverse)

    def changed(self, side: Side, change: Callable[[Array], Array]) -> "Situation":
        """The same with all compartments of one side changed."""
        after = {name: mapped(values, change) for name, values in getattr(self, side).items()}
        return replace(self, pre=after) if side == "pre" else replace(self, post=after)

    def chosen(self, samples: list[int]) -> "Situation":
        """A batch of some of the samples, in this order."""
        return replace(
            self,
            pre={name: [values[k] for k in samples] for name, values in self.pre.items()},
            post={name: [values[k] for k in samples] for name, values in self.post.items()},
            mod={name: [values[k] for k in samples] for name, values in self.mod.items()},
        )

    def shown(self) -> dict[str, object]:
        """Everything by the name that it has in a rule."""
        sides = {f"{side}.{name}": values for side in ("pre", "post") for name, values in getattr(self, side).items()}
        reverse = {} if self.reverse is None else {"reverse.w": self.reverse}
        return {**sides, **{f"mod.{name}": values for name, values in self.mod.items()}, **reverse, "w": self.w}


def _check(matrices: dict[str, Rows], height: int, width: int) -> None:
    for name, matrix in matrices.items():
        if len(matrix) != height or any(len(row) != width for row in matrix):
            raise ValueError(f"{name} must have {height} rows of {width} numbers")
