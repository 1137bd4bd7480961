"""Consolidation as operations: what each synapse, gain and bias does with its drive.

Elementwise, its state in named traces.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from ...circuits.constraints import Constraint
from ...circuits.declarations import Consolidation
from ...circuits.wiring import Geometry, Shape
from .builder import ProgramBuilder, Ref
from .program import Program
from .state import State


@dataclass(frozen=True, kw_only=True)
class Learner:
    """One state that learns in a mode: its drive arrives under the name drive/STATE (or not at all: decay alone)."""

    state: str
    mode: str
    shape: Shape
    driven: bool
    decay: float
    consolidation: Literal["common", "addition"]
    geometry: Geometry | None = None
    constraint: Constraint | None = None
    signs: str = ""
    """The state with the sign of each weight, where the constraint is not the same for all."""
    twin: str = ""
    """The first state with the same drive, as under Kolen-Pollack; empty where that is this one."""

    def trace(self, kind: str, common: Consolidation) -> str:
        """The name of a trace, KIND/MODE/STATE: each mode has traces of its own, which stand still in the others, so
        that a state's traces are as old as its mode has steps.

        Twins have one trace where it gathers the drive alone. Where decay goes into it, each has its own: of one that
        both share, W - B would learn nothing.
        """
        alone = common.optimizer == "adamw" or self.decay == 0
        return f"{kind}/{self.mode}/{(alone and self.twin) or self.state}"


def trace_states(learners: Iterable[Learner], common: Consolidation) -> Mapping[str, State]:
    """The traces that the common consolidation keeps for each learner, by name."""
    traces: dict[str, State] = {}
    for learner in learners:
        if learner.consolidation == "common":
            kinds = {"sgd": ("trace",) if common.momentum else (), "adamw": ("trace", "trace2")}[common.optimizer]
            names = [learner.trace(kind, common) for kind in kinds]
            traces |= {name: State(name=name, shape=learner.shape, initial=0.0) for name in names}
    return traces


def consolidation_program(name: str, learners: Iterable[Learner], common: Consolidation) -> Program:
    """The program that follows a mode's observations: drives in, new states out.

    It runs after every read of the step, so all reads precede all writes. `hyperparameters` arrive as scalars.
    """
    writer = _Writer(ProgramBuilder(name), common)
    for learner in learners:
        writer.write(learner)
    return writer.builder.program()


def hyperparameters(common: Consolidation, multiplier: float, step: int) -> Mapping[str, float]:
    """The scalars that the program reads in the mode's step `step`, counted from 1: `rate`, times the schedule's
    multiplier; for AdamW also `correction` and `correction2`, 1 / (1 - beta^step), since moments start at 0.
    """
    found = {"rate": common.rate * multiplier}
    if common.optimizer == "adamw":
        names = ("correction", "correction2")
        found |= {name: 1 / (1 - beta**step) for name, beta in zip(names, common.betas, strict=True)}
    return found


class _Writer:
    def __init__(self, builder: ProgramBuilder, common: Consolidation) -> None:
        self.builder = builder
        self.common = common

    def write(self, learner: Learner) -> None:
        weight = self._state(learner.state, learner.shape)
        drive = self._state(f"drive/{learner.twin or learner.state}", learner.shape) if learner.driven else None
        if learner.consolidation == "addition":
            new = self._addition(learner, weight, drive)
        elif self.common.optimizer == "sgd":
            new = self._sgd(learner, weight, drive)
        else:
            new = self._adamw(learner, weight, drive)
        self.builder.results[learner.state] = (
            self._kept(learner, learner.constraint, new) if learner.constraint else new
        )

    def _kept(self, learner: Learner, held: Constraint, new: Ref) -> Ref:
        """The weights within their bounds: those outside go to the nearest that they may be.

        Exact in every number format: what is inside stays as it is, and what is not becomes the bound itself.
        """
        build = self.builder
        if held.excitatory is not None:
            signs = self._state(learner.signs, learner.shape)
            new = build.multiply(signs, build.function(build.multiply(signs, new), "relu"))
        if held.lower is not None:
            new = self._at_least(new, held.lower)
        if held.upper is not None:
            new = build.scale(self._at_least(build.scale(new, -1.0), -held.upper), -1.0)
        return new

    def _at_least(self, weight: Ref, bound: float) -> Ref:
        """max(w, bound), as w where w > bound, and the bound elsewhere."""
        build = self.builder
        if bound == 0:
            return build.function(weight, "relu")
        above = build.function(build.shift(weight, -bound), "step")
        below = build.shift(build.scale(above, -1.0), 1.0)
        return build.add(build.multiply(weight, above), build.scale(below, bound))

    def _state(self, name: str, shape: Shape) -> Ref:
        return self.builder.input(name, shape, role="state")

    def _hyper(self, name: str) -> Ref:
        return self.builder.input(name, (), role="hyper")

    def _decay(self, learner: Learner, weight: Ref) -> Ref | None:
        """-decay * w, for taps that exist."""
        if learner.decay == 0:
            return None
        has_unseen = learner.geometry is not None and learner.geometry.unseen is not None
        seen = self.builder.per_tap(weight, learner.geometry, "seen") if has_unseen and learner.geometry else weight
        return self.builder.scale(seen, -learner.decay)

    def _parts(self, learner: Learner, weight: Ref, drive: Ref | None) -> list[Ref]:
        """What drive - decay * w is the sum of."""
        return [part for part in (drive, self._decay(learner, weight)) if part is not None]

    def _sum(self, weight: Ref, parts: list[Ref]) -> Ref:
        return self.builder.total(parts) if parts else self.builder.scale(weight, 0.0)

    def _addition(self, learner: Learner, weight: Ref, drive: Ref | None) -> Ref:
        return self.builder.total([weight, *self._parts(learner, weight, drive)])

    def _sgd(self, learner: Learner, weight: Ref, drive: Ref | None) -> Ref:
        """v' = mu v + g, w' = w + rate v' (Nesterov: w + rate (g + mu v')), g = drive - decay w. torch.optim.SGD."""
        build, common = self.builder, self.common
        parts = self._parts(learner, weight, drive)
        step = self._sum(weight, parts)
        if common.momentum:
            name = learner.trace("trace", common)
            kept = build.scale(self._state(name, learner.shape), common.momentum)
            whole, step = step, self._sum(weight, [*parts[:1], kept, *parts[1:]])
            build.results[name] = step
            if common.nesterov:
                step = build.add(whole, build.scale(step, common.momentum))
        return build.add(weight, build.multiply(step, self._hyper("rate")))

    def _adamw(self, learner: Learner, weight: Ref, drive: Ref | None) -> Ref:
        """Moments of the drive alone; the decay is decoupled: w' = w - rate decay w + rate m / (sqrt(s) + epsilon)."""
        build, common = self.builder, self.common
        decay = self._decay(learner, weight)
        drive = build.scale(weight, 0.0) if drive is None else drive
        moments = []
        for kind, beta, seen in zip(("trace", "trace2"), common.betas, (drive, build.power(drive, 2)), strict=True):
            name = learner.trace(kind, common)
            old = build.scale(self._state(name, learner.shape), beta)
            build.results[name] = build.add(old, build.scale(seen, 1 - beta))
            moments.append(build.results[name])
        mean = build.multiply(moments[0], self._hyper("correction"))
        spread = build.function(build.multiply(moments[1], self._hyper("correction2")), "sqrt")
        step = build.divide(mean, build.shift(spread, common.epsilon))
        step = step if decay is None else build.add(step, decay)
        return build.add(weight, build.multiply(step, self._hyper("rate")))
