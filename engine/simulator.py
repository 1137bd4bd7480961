"""A compiled circuit with its state: step it, run its modes, ask it, read any compartment, get and set its synapses."""

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from functools import cached_property
from math import ceil
from typing import Any, TypeVar
from zlib import crc32

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..circuits.declarations import Circuit, Consolidation
from ..circuits.errors import CircuitError, suggest
from ..circuits.locality import LocalityReport, prove
from .alignment import Alignment
from .averaging import Averaging
from .backends.base import Engine, Executable
from .backends.registry import load_engine
from .batch import fit, given_as_classes, numbers
from .compiler.compile import CompiledCircuit, compile_circuit
from .compiler.magnitudes import magnitude_name, uniform_magnitude
from .compiler.mode_programs import ModePrograms
from .compiler.program import Program
from .errors import SimulationError
from .noise_source import PROBE, NoiseSource
from .overlapping import Overlapping
from .ranks import NOBODY, Ranks, Share
from .rounding import take_roundings
from .stepping import Stepper
from .views import Floats, States, Weights

Key = TypeVar("Key")
Made = TypeVar("Made")


def compile(
    circuit: Circuit,
    engine: str = "torch",
    dtype: str = "float32",
    seed: int = 0,
    device: str = "cpu",
    consolidation: Consolidation | None = None,
    watch: Sequence[str] = (),
    state: Mapping[str, ArrayLike] | None = None,
    in_place: bool = False,
    ranks: Ranks | None = None,
    soft_targets: bool = False,
) -> "Simulator":
    """Compile a circuit for an engine and draw its initial state.

    `seed` decides the initial weights and all noise. `consolidation` is what synapses do with their drives; the default
    is plain SGD with rate 0.1. Compartments in `watch` ("v1.rate") are kept at every step, so that reading them costs
    nothing. `state` puts arrays by state name (weights/image->v1, as in `state_dict`) in the place of what would be
    drawn. With `in_place`, new states take the memory of the old ones: there is one set of weights and traces instead
    of two, and what a step saw can be read only where it was watched. With `ranks`, this process is one of several that
    share the model: steps take its share of the batch and learn from all of it (see `Ranks`). With `soft_targets`, what
    steps are told of an output with a cross-entropy is rates (batch, classes), as smoothed labels and mixed images need
    them; classes are taken, too. Raises CircuitError, EngineError, RanksError where ranks were given different things,
    and SimulationError for states that do not fit.
    """
    if not isinstance(circuit, Circuit):
        raise SimulationError(f"compile takes a circuit, as counterstream.load gives it (got {circuit!r})")
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise SimulationError(f"seed must be a whole number from 0 (got {seed!r})")
    if not isinstance(ranks, Ranks | None):
        raise SimulationError(f"ranks must be engine.Ranks(), or None for a process alone (got {ranks!r})")
    shared, synchronise = ranks is not None, ranks is not None and ranks.synchronise
    compiled = compile_circuit(
        circuit, consolidation, watch, shared=shared, synchronise=synchronise, soft_targets=soft_targets
    )
    made = load_engine(engine, dtype=dtype, device=device)
    if ranks is not None:
        made.across = ranks.sum
    return Simulator(compiled, made, seed, state, in_place, ranks)


class Simulator:
    """What a compiled circuit does, step by step.

    State is a mapping from names (weights/PROJECTION, gain/POPULATION, trace/MODE/..., see `state_dict`) to arrays of
    the engine. A step reads the old state throughout and then puts the new one in its place: all reads precede all
    writes.
    """

    def __init__(
        self,
        compiled: CompiledCircuit,
        engine: Engine[Any],
        seed: int = 0,
        state: Mapping[str, ArrayLike] | None = None,
        in_place: bool = False,
        ranks: Ranks | None = None,
    ) -> None:
        self.compiled = compiled
        self.engine = engine
        self.seed = seed
        self.in_place = in_place
        self.ranks = ranks
        self.rate = 1.0
        """Multiplier of the consolidation's rate, for schedules."""
        self.steps: dict[str, int] = dict.fromkeys(compiled.modes, 0)
        """How many steps of each mode have been run."""
        given = {name: self._fitted(name, value) for name, value in (state or {}).items()}
        self._state: dict[str, Any] = {
            name: given[name] if name in given else engine.array(spec.draw(seed))
            for name, spec in compiled.states.items()
        }
        self._noise = NoiseSource(engine, seed)
        self._steppers: dict[tuple[str, int], Stepper] = {}
        self._observe: dict[str, Executable[Any]] = {}
        self._read: dict[tuple[str, ...], Program] = {}
        self._last: tuple[str, dict[str, Any]] | None = None
        self._watched: dict[str, Any] = {}
        self.check_in_step()

    # ---- what it is

    @property
    def circuit(self) -> Circuit:
        """The explicit circuit."""
        return self.compiled.circuit

    @cached_property
    def locality(self) -> LocalityReport:
        """The locality proof of the circuit."""
        return prove(self.circuit)

    @property
    def weights(self) -> MutableMapping[str, Floats]:
        """Weights by projection: `sim.weights["image->v1"]` is a copy; assigning sets them. W and B have one layout."""
        return Weights(self)

    @property
    def gains(self) -> MutableMapping[str, Floats]:
        """Gains by population."""
        return States(self, "gain")

    @property
    def biases(self) -> MutableMapping[str, Floats]:
        """Biases by population."""
        return States(self, "bias")

    # ---- learning

    def step(
        self,
        data: Any = None,
        target: Any = None,
        *,
        mode: str | None = None,
        modulators: Mapping[str, ArrayLike] | None = None,
        noise: Mapping[str, ArrayLike] | None = None,
    ) -> dict[str, float]:
        """One step of a mode with data (the first one by default): both streams, then consolidation.

        `data` is an array (batch, *shape), or a mapping from input populations to arrays. `target` holds classes
        (batch,), or activities (batch, *shape) for losses that compare activities and for soft targets, or a mapping
        from outputs to either; circuits without a loss take none. Returns means over the batch: the loss, summed over
        several outputs, and the accuracy, averaged over those whose targets are classes or soft, of which the largest
        counts, as far as the circuit has them.

        Who drops out, what noise is injected, and how large synapses with redrawn magnitudes are, is drawn afresh each
        step from (seed, mode, name, step); `noise` puts given arrays in place of those drawn: masks by population (1
        where a neuron transmits, else 0), injected noise under "POPULATION.noise", both of shape (batch, *shape), and
        magnitudes by projection (in the weights' shape).
        """
        mode = mode or self.compiled.data_mode
        programs = self._programs(mode, isolates=False)
        batch = self._converted(programs.observe, self._fit(programs.observe, data, target, modulators or {}))
        samples = _samples(programs.observe, batch)
        given = self._noise.of_step(mode, programs, noise or {}, samples)
        share = self._share(samples) if programs.noise else NOBODY
        masks = self._noise.draw(programs.noise, mode, self.steps[mode], share=share, given=given)
        inputs = {**self._state, **batch, **masks}
        observed = self._advance(mode, inputs)
        self._last = None if self.in_place else (mode, inputs)
        self._watched = {name: value for name, value in observed.items() if name.startswith("watch/")}
        return self._metrics(observed, given_as_classes(programs.observe, target) | self._softly_told)

    def run(self, mode: str, steps: int = 1, noise: Mapping[str, ArrayLike] | None = None) -> None:
        """Steps of a mode that needs no data.

        Where the mode's projections rotate, a step is one turn: which one, the number of the mode's earlier steps says,
        which is part of the state. Noise is drawn afresh each step from (seed, mode, projection, step); `noise` puts
        given arrays (by projection) in its place.
        """
        programs = self._programs(mode, isolates=True)
        given = self._noise.fired(mode, programs, noise or {})
        for _ in range(steps):
            wanted = self.compiled.turns[mode][self.turn(mode)].noise
            fired = self._noise.draw(wanted, mode, self.steps[mode], given=given)
            self._advance(mode, fired)

    @cached_property
    def _softly_told(self) -> frozenset[str]:
        """The outputs that steps tell rates of classes."""
        if not self.compiled.soft_targets:
            return frozenset()
        populations = self.compiled.graph.populations
        return frozenset(n for n in self.compiled.graph.outputs if populations[n].output_loss == "cross_entropy")

    def turn(self, mode: str) -> int:
        """The place in `compiled.turns[mode]` of what the mode's next step runs: 0 where projections do not rotate."""
        return self.steps[mode] % len(self.compiled.turns[mode])

    def _share(self, samples: int) -> Share:
        return Share.all_of(samples) if self.ranks is None else self.ranks.share(samples, self.engine)

    def _advance(self, mode: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """One step: every new state takes its place. What the step observed is returned."""
        stepper = self._stepper(mode, self.turn(mode))
        self.steps[mode] += 1
        self._state, observed = stepper(self._state, inputs, self._hyperparameters(mode))
        return observed

    def _hyperparameters(self, mode: str) -> dict[str, Any]:
        common = self.compiled.common
        step = ceil(self.steps[mode] / len(self.compiled.turns[mode]))  # of what is moved in this turn
        hyper = {"rate": common.rate * self.rate}
        if common.optimizer == "adamw":  # the moments start at 0: these make up for it
            hyper |= {
                name: 1 / (1 - beta**step)
                for name, beta in zip(("correction", "correction2"), common.betas, strict=True)
            }
        return {name: self.engine.array(np.asarray(value)) for name, value in hyper.items()}

    def _metrics(self, observed: Mapping[str, Any], classed: frozenset[str]) -> dict[str, float]:
        """Losses summed over the outputs, and accuracies averaged over those of `classed`."""
        found: dict[str, list[float]] = {"loss": [], "accuracy": []}
        for name, value in observed.items():
            kind, _, output = name.partition("/")
            if kind == "loss" or (kind == "accuracy" and output in classed):
                found[kind].append(float(self.engine.numpy(value)))
        metrics = {"loss": sum(found["loss"])} if found["loss"] else {}
        return metrics | ({"accuracy": sum(found["accuracy"]) / len(found["accuracy"])} if found["accuracy"] else {})

    # ---- asking

    def predict(self, data: Any, batch: int = 1024) -> Any:
        """Rates of the output population for `data`, by running statistics; a mapping if there are several outputs."""
        run, program = self._executable("predict"), self.compiled.predict
        parts = [run({**self._state, **inputs}) for inputs, _ in self._batches(program, data, None, batch)]
        joined = {
            name.partition("/")[2]: np.concatenate([self.engine.numpy(part[name]) for part in parts])
            for name in parts[0]
        }
        return joined if len(joined) > 1 else next(iter(joined.values()))

    def evaluate(self, data: Any, target: Any, batch: int = 1024) -> dict[str, float]:
        """Loss, and accuracy where targets are classes, over all of `data`, by running statistics.

        Every sample counts once.
        """
        run, program = self._evaluating()
        classed = given_as_classes(program, target)
        totals: dict[str, float] = {}
        samples = 0
        for inputs, size in self._batches(program, data, target, batch):
            samples += size
            for name, value in self._metrics(run({**self._state, **inputs}), classed).items():
                totals[name] = totals.get(name, 0.0) + size * value
        return {name: total / samples for name, total in totals.items()}

    def assess(self, data: Any, target: Any) -> tuple[dict[str, float], dict[str, NDArray[np.generic]]]:
        """What `evaluate` says of one batch, and the scores (batch, *shape) of each output, by which it ranks classes.

        Scores are what the output's loss compares: logits, or rates where it is the squared error.
        """
        run, program = self._evaluating()
        found = run({**self._state, **self._converted(program, self._fit(program, data, target, {}))})
        scores = {name.partition("/")[2]: value for name, value in found.items() if name.startswith("score/")}
        metrics = self._metrics(found, given_as_classes(program, target))
        return metrics, {name: self.engine.numpy(value) for name, value in scores.items()}

    def _evaluating(self) -> tuple[Executable[Any], Program]:
        if not self.compiled.graph.outputs:
            raise SimulationError("evaluate needs an output: no population of the circuit has a loss")
        return self._executable("evaluate"), self.compiled.evaluate

    def read(self, name: str) -> NDArray[np.generic]:
        """A compartment of a population ("v1.rate") as it was in the last step with data, before consolidation.

        Watched compartments were kept; others are computed again from that step's batch and weights.
        """
        if f"watch/{name}" in self._watched:
            return self.engine.numpy(self._watched[f"watch/{name}"])
        if self.in_place:
            raise SimulationError(
                f"read('{name}') needs the state that the step saw, which a simulator that works in place has "
                f"overwritten: compile with watch=['{name}'], or with in_place=False"
            )
        if self._last is None:
            raise SimulationError(f"read('{name}') needs a step with data first: call step(...)")
        mode, inputs = self._last
        run = _once(
            self._observe, f"<{mode} {name}>", lambda: self.engine.compile(self._reading([name], mode), rarely=True)
        )
        return self.engine.numpy(run(inputs)[name])

    def observe(self, names: Sequence[str], data: Any, target: Any = None) -> dict[str, NDArray[np.generic]]:
        """Compartments of populations ("v1.rate", "v1~.rate") as a step with these data would find them, by name.

        Nothing is changed. Where neurons drop out, the same ones do at every call with as many samples: a probe is
        comparable over time. Magnitudes that each step draws anew are those of the next step.
        """
        mode = self.compiled.data_mode
        program = _once(self._read, tuple(names), lambda: self._reading(names, mode, alone=True))
        return self._looked_at(program, data, target)

    def alignment(self, data: Any, target: Any) -> Alignment:
        """How feedback stands to feedforward on these data: angles and norms, computed on the engine's device, where
        the arrays are. Nothing is changed; what drops out is as in `observe`.
        """
        return Alignment.of(self._looked_at(self.compiled.alignment, data, target), self.compiled.graph)

    def delta_angles(self, data: Any, target: Any) -> dict[str, float]:
        """Degrees between the circuit's delta and the delta of exact backprop, all the way down through the same
        activities, at the soma of each forward population that errors reach (Akrout et al. 2019). Nothing is changed.
        """
        return dict(self.alignment(data, target).delta_angles)

    def _looked_at(self, program: Program, data: Any, target: Any) -> dict[str, NDArray[np.generic]]:
        """The results of a program that only looks, on a batch that is no step's."""
        run = _once(self._observe, f"<look {program.name}>", lambda: self.engine.compile(program, rarely=True))
        wanted = [noise for noise in self.compiled.modes[self.compiled.data_mode].noise if noise.batched]
        batch = self._converted(program, self._fit(program, data, target, {}))
        share = Share.all_of(_samples(program, batch))
        masks = self._noise.draw(wanted, PROBE, 0, share=share, given={})
        given = {**self._state, **batch, **masks, **self._redrawn(self.compiled.redrawn)}
        return {name: self.engine.numpy(value) for name, value in run(given).items()}

    def _redrawn(self, labels: Iterable[str]) -> dict[str, Any]:
        """The magnitudes, by input name, that the next step with data will draw for these projections."""
        mode, wanted = self.compiled.data_mode, [self.compiled.redrawn[label] for label in labels]
        return self._noise.draw(wanted, mode, self.steps[mode], given={})

    def show_magnitudes(self, label: str) -> NDArray[np.generic] | float:
        """How large the synapses of a projection are that has the signs of others. Those that each step draws anew are
        shown as the next step with data will have them.
        """
        uniform = uniform_magnitude(self.compiled.graph, label)
        if uniform is not None:
            return uniform
        name = magnitude_name(label)
        if label in self.compiled.redrawn:
            return np.abs(self.engine.numpy(self._redrawn([label])[name]))
        return np.abs(self.show_state(name))

    # ---- state

    def state_dict(self) -> dict[str, NDArray[np.generic]]:
        """Every array that a resumed run needs, by name, and the number of steps of each mode (steps/MODE)."""
        arrays: dict[str, NDArray[np.generic]] = {name: self.engine.numpy(value) for name, value in self._state.items()}
        return arrays | {f"steps/{mode}": np.asarray(count) for mode, count in self.steps.items()}

    def load_state_dict(self, state: Mapping[str, ArrayLike]) -> None:
        """Put back what `state_dict` gave.

        Raises SimulationError where names or shapes differ, or weights lie outside of their bounds, and changes nothing
        then.
        """
        expected = {name: spec.shape for name, spec in self.compiled.states.items()}
        expected |= {f"steps/{mode}": () for mode in self.steps}
        missing, unknown = expected.keys() - state.keys(), state.keys() - expected.keys()
        if missing or unknown:
            wrong = ", ".join([f"without {n}" for n in sorted(missing)] + [f"unknown {n}" for n in sorted(unknown)])
            raise SimulationError(f"the state must be this circuit's ({wrong})")
        arrays = {name: np.asarray(value) for name, value in state.items()}
        for name, shape in expected.items():
            if arrays[name].shape != shape:
                raise SimulationError(f"{name} must have shape {list(shape)} (got {list(arrays[name].shape)})")
        for name in self.compiled.states:
            self._check_kept(name, arrays[name])
        self.steps = {mode: int(arrays[f"steps/{mode}"]) for mode in self.steps}
        self._state = {name: self.engine.array(arrays[name].copy()) for name in self.compiled.states}

    def get_state(self, name: str) -> NDArray[np.generic]:
        """A copy of one array of state."""
        return self.engine.numpy(self._state[name])

    def show_state(self, name: str) -> NDArray[np.generic]:
        """One array of state as it is now, to be read and not written into: no copy where the engine can do without."""
        return self.engine.view(self._state[name])

    def state_array(self, name: str) -> Any:
        """One array of state as the engine has it, not to be written into."""
        return self._state[name]

    def put_state(self, name: str, value: Any) -> None:
        """Put an array of the engine in the place of one of its shape: in its memory, where the simulator works in
        place.
        """
        if self.in_place:
            self._state[name][...] = value
        else:
            self._state = {**self._state, name: self.engine.array(value)}

    def set_state(self, name: str, value: ArrayLike) -> None:
        """Set one array of state. Raises SimulationError for an unknown name or another shape."""
        self._state = {**self._state, name: self._fitted(name, value)}

    def _fitted(self, name: str, value: ArrayLike) -> Any:
        """A copy of a value of one state, as an array of the engine."""
        if name not in self.compiled.states:
            raise SimulationError(f"unknown state '{name}'. {suggest(name, self.compiled.states, 'states')}")
        array, shape = np.asarray(numbers(value, name)), self.compiled.states[name].shape
        if array.shape != shape:
            raise SimulationError(f"{name} must have shape {list(shape)} (got {list(array.shape)})")
        self._check_kept(name, array)
        return self.engine.array(array.copy())

    def _check_kept(self, name: str, value: NDArray[Any]) -> None:
        """Raise SimulationError for weights that lie outside of what they are kept to."""
        spec = self.compiled.states[name]
        if spec.constraint is not None and spec.geometry is not None:
            wrong = spec.constraint.violation(value.astype(np.float64), spec.geometry)
            if wrong is not None:
                raise SimulationError(f"{name} must keep {spec.constraint} (got {wrong:g})")

    def check_in_step(self) -> None:
        """Raise RanksError, on every rank, unless all ranks hold the same: state to the last bit, steps, rate and seed.

        All ranks call it together; alone there is nothing to check. It reads the whole state: now and then is enough.
        What mirror steps write, and each rank finds for itself, may differ by rounding where devices add up in any
        order: there rank 0's value is taken first.
        """
        if self.ranks is None:
            return
        take_roundings(self, self.ranks)
        held: dict[str, object] = {name: crc32(self.show_state(name).tobytes()) for name in self._state}
        held |= {f"steps/{mode}": count for mode, count in self.steps.items()}
        self.ranks.compare({**held, "rate": self.rate, "seed": self.seed, "consolidation": repr(self.compiled.common)})

    # ---- executables

    def _programs(self, mode: str, *, isolates: bool) -> ModePrograms:
        programs = self.compiled.modes.get(mode)
        if programs is None:
            raise SimulationError(f"unknown mode '{mode}'. {suggest(mode, self.compiled.modes, 'modes')}")
        if programs.mode.isolates != isolates:
            how = "needs no data: call run(...)" if programs.mode.isolates else "needs data: call step(...)"
            raise SimulationError(f"mode '{mode}' {how}")
        return programs

    def _stepper(self, mode: str, turn: int = 0) -> Stepper:
        programs, states = self.compiled.turns[mode][turn], frozenset(self.compiled.states)
        return _once(
            self._steppers,
            (mode, turn),
            lambda: Stepper(self.engine, programs, states, in_place=self.in_place, average=self._averaging(programs)),
        )

    def _averaging(self, programs: ModePrograms) -> Averaging | None:
        """Where projections run by themselves, all ranks draw the same noise and find the same: nothing is sent."""
        if self.ranks is None or programs.mode.isolates:
            return None
        kind = Overlapping if self.engine.announces else Averaging
        return kind(programs.observe, self.ranks)

    def _executable(self, name: str) -> Executable[Any]:
        """`predict` or `evaluate`."""
        return _once(self._observe, f"<{name}>", lambda: self.engine.compile(getattr(self.compiled, name)))

    def _reading(self, names: Sequence[str], mode: str, *, alone: bool = False) -> Program:
        try:
            return self.compiled.reading(names, mode, alone=alone)
        except CircuitError as error:
            raise SimulationError(error.problems[0].message) from None

    # ---- arrays from outside

    def _fit(self, program: Program, data: Any, target: Any, modulators: Mapping[str, ArrayLike]) -> dict[str, Any]:
        return fit(program, self.compiled.graph.shapes, data, target, modulators)

    def _batches(self, program: Program, data: Any, target: Any, size: int) -> Iterator[tuple[dict[str, Any], int]]:
        if size < 1:
            raise SimulationError(f"batch must be at least 1 (got {size})")
        whole = self._fit(program, data, target, {})
        samples = len(next(iter(whole.values())))
        for start in range(0, samples, size):
            part = {name: value[start : start + size] for name, value in whole.items()}
            yield self._converted(program, part), min(size, samples - start)

    def _converted(self, program: Program, arrays: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self.engine.array(value, program.inputs[name]["dtype"]) for name, value in arrays.items()}


def _samples(program: Program, batch: Mapping[str, Any]) -> int:
    """How many samples a batch holds; 0 where a program reads no data."""
    return next((len(value) for name, value in batch.items() if program.inputs[name].batched), 0)


def angle(a: NDArray[np.generic], b: NDArray[np.generic]) -> float:
    """Degrees between two arrays as vectors, 2 atan2(|u - v|, |u + v|) of unit vectors: exact also at 0, where acos is
    not. NaN where one of them is 0."""
    u, v = a.astype(np.float64).ravel(), b.astype(np.float64).ravel()
    length_u, length_v = np.linalg.norm(u), np.linalg.norm(v)
    if length_u == 0 or length_v == 0:
        return float("nan")
    u, v = u / length_u, v / length_v
    return float(np.degrees(2 * np.arctan2(np.linalg.norm(u - v), np.linalg.norm(u + v))))


def _once(cache: dict[Key, Made], name: Key, make: Callable[[], Made]) -> Made:
    if name not in cache:
        cache[name] = make()
    return cache[name]
