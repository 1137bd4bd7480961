"""One rule by itself: the synapses between two small populations, whose activities are given as plain numbers."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..circuits.errors import CircuitError, Problem
from ..circuits.graph import Graph
from ..circuits.plasticity import Plasticity
from ..circuits.rules import ECHO, REVERSE, normal_form, parse_rule, reads, split_decay, to_text
from ..circuits.wiring import Dense, Geometry
from ..engine.backends.base import Engine, Executable
from ..engine.compiler.builder import ProgramBuilder, Ref
from ..engine.compiler.drives import Drives, View
from ..engine.compiler.program import Program
from .numbers import Array
from .requirements import LaboratoryError
from .situation import Situation


@dataclass(frozen=True, kw_only=True)
class Synapses(ABC):
    """What every rule under test can be asked, however it was written."""

    name: str
    """Its place in the system: engaged.forward, mirror.feedback."""
    equation: str
    reads: frozenset[str]
    """pre.rate, post.apical, mod.reward, w, ..."""
    adds: bool = False
    """Whether w' = w + dw, whatever the learning rate."""
    answers: frozenset[str] = frozenset({"soma", "rate"})
    """What of the post neuron answers to its input; in a mode that clamps it, its rate does not."""

    @abstractmethod
    def drive(self, situation: Situation, engine: Engine[Any] | None = None) -> Array:
        """dw (post, pre) by an engine, or by the one that it was made with."""

    def compartments(self, side: str) -> list[str]:
        """What has to be known of one side, sorted. An echo follows from what the post neurons are taught."""
        found = {name.partition(".")[2] for name in self.reads if name.partition(".")[0] == side}
        if str(ECHO) in self.reads:
            found = found - {ECHO.compartment} if side == "pre" else found | ({"apical"} if side == "post" else set())
        return sorted(found)

    @property
    def is_idle(self) -> bool:
        """Whether the rule asks nothing of what neurons do: no sample is like or unlike another to it."""
        return not any(self.compartments(side) for side in ("pre", "post", "mod"))

    @property
    def unit(self) -> float:
        """What counts as much in dw, and 1 at most: an error of a rule of small numbers is small, too."""
        return 1.0

    @property
    def title(self) -> str:
        return f"{self.name}: dw = {self.equation}"


@dataclass(frozen=True, kw_only=True)
class Declared(Synapses):
    """A rule of a learning system, computed as an engine computes it: by its program, on dense wiring."""

    graph: Graph
    plasticity: Plasticity
    reverse: bool
    """Whether it is the rule of a feedback projection, whose pre neurons stand above."""
    parameters: Mapping[str, float]
    engine: Engine[Any]
    _compiled: dict[tuple[int, int, int], Executable[Any]] = field(default_factory=dict, repr=False, compare=False)
    _alike: dict[str, "Declared"] = field(default_factory=dict, repr=False, compare=False)

    @property
    def unit(self) -> float:
        """The largest coefficient among the rule's terms, or 1 if that is smaller."""
        coefficients = (self.plasticity.decay, *(term.coefficient for term in self.plasticity.terms))
        return min(1.0, max(map(abs, coefficients)))

    def drive(self, situation: Situation, engine: Engine[Any] | None = None) -> Array:
        engine = engine or self.engine
        weights = situation.weights
        key = (*weights.shape, id(engine))
        if key not in self._compiled:
            self._compiled[key] = engine.compile(self.program(*weights.shape))
        sides = {f"{s}.{name}": v for s in ("pre", "post") for name, v in situation.activity(s).items()}
        sides |= {f"mod.{name}": np.asarray(values) for name, values in situation.mod.items()}
        given = {**sides, "w": self._turned(weights)}
        if situation.reverse is not None:
            given[str(REVERSE)] = self._turned(np.asarray(situation.reverse, np.float64))
        found = self._compiled[key]({name: engine.array(value) for name, value in given.items()})
        return self._turned(engine.numpy(found["dw"]).astype(np.float64))

    def _turned(self, weights: NDArray[np.float64]) -> Array:
        """Between (post, pre) and the forward layout (upper, lower), in which engines keep both W and B."""
        return weights.T.copy() if self.reverse else weights

    def program(self, post: int, pre: int) -> Program:
        """The drive, decay included, of `pre` neurons' synapses onto `post` neurons; its inputs are named as in a
        rule."""
        build = ProgramBuilder(self.name)
        sizes = {"pre": (pre,), "post": (post,)}
        lower, upper = ("post", "pre") if self.reverse else ("pre", "post")
        geometry = Geometry(Dense(), sizes[lower], sizes[upper])
        assert geometry.weight_shape is not None
        weight = build.input("w", geometry.weight_shape, role="state")
        sides = {
            side: {
                name: build.input(f"{side}.{name}", sizes.get(side, ()), role="data", batched=True)
                for name in self.compartments(side)
            }
            for side in ("pre", "post", "mod")
        }
        if str(ECHO) in self.reads:
            sides["pre"][ECHO.compartment] = self._echo(build, sides["post"]["apical"], weight, geometry)
        other = build.input(str(REVERSE), geometry.weight_shape, role="state") if str(REVERSE) in self.reads else None
        view = View(sides, weight, self.name, other)
        drive = Drives(build, self.graph).synapses(self.plasticity, view, geometry, reverse=self.reverse)
        decay = build.scale(weight, -self.plasticity.decay)
        return build.program({"dw": decay if drive is None else build.add(drive, decay)})

    def _echo(self, build: ProgramBuilder, taught: Ref, weight: Ref, geometry: Geometry) -> Ref:
        if self.reverse:
            return build.project(taught, weight, geometry)
        return build.project_back(taught, weight, None, geometry)

    def like(self, equation: str) -> "Declared":
        """The same synapses with another equation, in what this one reads. Raises CircuitError."""
        if equation not in self._alike:
            self._alike[equation] = self._like(equation)
        return self._alike[equation]

    def _like(self, equation: str) -> "Declared":
        expression = parse_rule(
            equation,
            kind="synapse",
            parameters=self.parameters.keys(),
            modulators=[name.partition(".")[2] for name in self.reads if name.startswith("mod.")],
            noise=any(name.endswith(".noise") for name in self.reads),
        )
        found = frozenset(map(str, reads(expression)))
        if unread := sorted(found - self.reads - {"w"}):
            raise CircuitError(Problem(f"'{equation}' reads {', '.join(unread)}, which the rule does not read"))
        terms, decay = split_decay(normal_form(expression, self.parameters))
        return replace(
            self,
            equation=to_text(expression),
            reads=found,
            plasticity=replace(self.plasticity, expression=expression, terms=terms, decay=decay),
            _compiled={},
            _alike={},
        )


@dataclass(frozen=True, kw_only=True)
class Written(Synapses):
    """A rule as a Python function dw(pre, post, w): `pre.rate` and the like are arrays (samples, neurons), w and dw
    (post, pre).
    """

    function: Callable[..., Any]

    def drive(self, situation: Situation, engine: Engine[Any] | None = None) -> Array:
        sides = (SimpleNamespace(**situation.activity("pre")), SimpleNamespace(**situation.activity("post")))
        found = np.asarray(self.function(*sides, situation.weights), np.float64)
        if found.shape != situation.weights.shape:
            raise LaboratoryError(
                f"{self.name} must return an array of w's shape {list(situation.weights.shape)}, one row a post neuron "
                f"(got {list(found.shape)})"
            )
        return found
