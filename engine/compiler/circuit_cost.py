"""What a compiled circuit costs: its parameters, its state, and every program that runs it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from math import prod

from .compile import CompiledCircuit
from .cost import Cost, sum_of
from .mode_programs import ModePrograms
from .program_cost import OperationCost, ProgramCost, program_cost

PREDICT = "predict"


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Numbers that learn or could: synapses, gains and biases. Running statistics and traces are no parameters."""

    weights: int
    gains: int
    biases: int
    feedback: int
    """Weights that feedback synapses have of their own, and magnitudes that they keep."""
    tied: int
    """Feedback synapses that take their weights from others."""

    @property
    def forward(self) -> int:
        return self.weights + self.gains + self.biases


@dataclass(frozen=True, kw_only=True)
class ModeCost:
    """One step of a mode: the program that observes and the one that consolidates. Predicting only observes.

    Where projections rotate, this is one round of steps, in which each projection is served once.
    """

    name: str
    batch: int
    steps: tuple[tuple[ProgramCost, ...], ...]
    """The programs of each step of a round; a mode that does not rotate has one."""
    isolates: bool = False
    """Whether projections run by themselves, on noise: then the cost does not depend on the batch."""
    every: int = 1
    """One step for so many engaged ones."""
    maps: int = 0
    """Noise maps that all projections together get when each is served once."""

    @property
    def programs(self) -> tuple[ProgramCost, ...]:
        return tuple(program for step in self.steps for program in step)

    @property
    def operations(self) -> tuple[OperationCost, ...]:
        return tuple(operation for program in self.programs for operation in program.operations)

    @cached_property
    def total(self) -> Cost:
        return sum_of(program.total for program in self.programs)

    @cached_property
    def memory(self) -> int:
        """Bytes that a step's values occupy at most at one time (see ProgramCost): drives are there until the end."""
        return max(_memory(step) for step in self.steps)


def _memory(programs: tuple[ProgramCost, ...]) -> int:
    returned = accumulate((program.returned for program in programs), initial=0)
    return max(before + program.memory for before, program in zip(returned, programs, strict=False))


@dataclass(frozen=True, kw_only=True)
class CircuitCost:
    """A circuit's parameters, its state in bytes by kind of state, and its modes: predicting, then its own."""

    parameters: Parameters
    state: Mapping[str, int]
    modes: Mapping[str, ModeCost]

    def share(self, mode: str, of: str) -> float:
        """Multiply-adds of a mode over those of another, a step of each on average, run as often as it declares."""
        one, other = self.modes[mode], self.modes[of]
        return one.total.multiply_adds / len(one.steps) / one.every / max(other.total.multiply_adds, 1)


def circuit_cost(compiled: CompiledCircuit, *, batch: int, itemsize: int) -> CircuitCost:
    """What a compiled circuit costs at a batch size. `itemsize`: bytes of one number."""
    predict = program_cost(compiled.predict, batch=batch, itemsize=itemsize)
    modes = {PREDICT: ModeCost(name=PREDICT, batch=batch, steps=((predict,),))}
    for name, turns in compiled.turns.items():
        modes[name] = _mode_cost(name, turns, batch, itemsize)
    state: Counter[str] = Counter()
    for name, declared in compiled.states.items():
        state[_kind(compiled, name)] += prod(declared.shape) * itemsize
    return CircuitCost(parameters=parameters(compiled), state=state, modes=modes)


def _mode_cost(name: str, turns: tuple[ModePrograms, ...], batch: int, itemsize: int) -> ModeCost:
    maps = {noise.name: noise.maps for turn in turns for noise in turn.noise if noise.maps is not None}
    mode = turns[0].mode
    return ModeCost(
        name=name,
        batch=batch,
        steps=tuple(
            (
                program_cost(turn.observe, batch=batch, itemsize=itemsize, maps=maps),
                program_cost(turn.consolidate, batch=batch, itemsize=itemsize),
            )
            for turn in turns
        ),
        isolates=mode.isolates,
        every=mode.every,
        maps=sum(maps.values()),
    )


def parameters(compiled: CompiledCircuit) -> Parameters:
    """How many numbers a circuit may change. Weights that several projections share count once."""
    sizes: Counter[str] = Counter()
    for name, state in compiled.states.items():
        sizes[_kind(compiled, name)] += prod(state.shape)
    graph = compiled.graph
    tied = (
        prod(graph.geometries[label].weight_shape or ())
        for label, projection in graph.projections.items()
        if projection.tie is not None and graph.is_feedback(label)
    )
    return Parameters(
        weights=sizes["weights"],
        gains=sizes["gains"],
        biases=sizes["biases"],
        feedback=sizes["feedback weights"],
        tied=sum(tied),
    )


_KINDS = {
    "gain": "gains",
    "bias": "biases",
    "running_mean": "statistics",
    "running_variance": "statistics",
    "baseline": "statistics",
    "signs": "signs",
}


def _kind(compiled: CompiledCircuit, state: str) -> str:
    """What a state is: weights, feedback weights, gains, biases, statistics, traces."""
    kind, _, subject = state.partition("/")
    if kind in ("weights", "magnitude"):
        return "feedback weights" if compiled.graph.is_feedback(subject) else "weights"
    return _KINDS.get(kind, "traces")
