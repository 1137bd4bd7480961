"""A compiled circuit with its state: step it, run its modes, ask it, read any compartment, get and set its synapses."""

from collections.abc import Mapping, MutableMapping, Sequence
from functools import cached_property
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..circuits.declarations import Circuit, Consolidation
from ..circuits.errors import suggest
from ..circuits.locality import LocalityReport, prove
from .alignment import Alignment
from .averaging import Averaging
from .backends.base import Engine
from .backends.registry import load_engine
from .batch import given_as_classes
from .compiler.compile import CompiledCircuit, compile_circuit
from .compiler.consolidation import hyperparameters
from .compiler.mode_programs import ModePrograms
from .errors import SimulationError
from .intake import Intake, samples_of
from .last_step import LastStep
from .live_state import LiveState
from .metrics import metrics_of
from .noise_source import NoiseSource
from .observing import Observing
from .overlapping import Overlapping
from .predicting import Predicting
from .ranks import NOBODY, Ranks, Share
from .rounding import take_roundings
from .stepping import Stepper
from .views import Floats, States, Weights


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
        self._live = LiveState(compiled, engine, seed, state or {}, in_place)
        self._noise = NoiseSource(engine, seed)
        self._intake = Intake(engine, compiled.graph.shapes)
        self._last = LastStep(compiled, engine, in_place)
        self._predicting = Predicting(compiled, engine, self._live, self._intake)
        self._observing = Observing(compiled, engine, self._live, self._noise, self._intake)
        self._steppers: dict[tuple[str, int], Stepper] = {}
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
    def steps(self) -> Mapping[str, int]:
        """How many steps of each mode have been run."""
        return self._live.steps

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
        batch = self._intake.whole(programs.observe, data, target, modulators)
        samples = samples_of(programs.observe, batch)
        given = self._noise.of_step(mode, programs, noise or {}, samples)
        share = self._share(samples) if programs.noise else NOBODY
        masks = self._noise.draw(programs.noise, mode, self.steps[mode], share=share, given=given)
        inputs = {**self._live.arrays, **batch, **masks}
        observed = self._advance(mode, inputs)
        self._last.keep(mode, inputs, observed)
        classed = given_as_classes(programs.observe, target) | self.compiled.softly_told
        return metrics_of(observed, classed, self.engine)

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

    def turn(self, mode: str) -> int:
        """The place in `compiled.turns[mode]` of what the mode's next step runs: 0 where projections do not rotate."""
        return self.steps[mode] % len(self.compiled.turns[mode])

    def _share(self, samples: int) -> Share:
        return Share.all_of(samples) if self.ranks is None else self.ranks.share(samples, self.engine)

    def _programs(self, mode: str, *, isolates: bool) -> ModePrograms:
        programs = self.compiled.modes.get(mode)
        if programs is None:
            raise SimulationError(f"unknown mode '{mode}'. {suggest(mode, self.compiled.modes, 'modes')}")
        if programs.mode.isolates != isolates:
            how = "needs no data: call run(...)" if programs.mode.isolates else "needs data: call step(...)"
            raise SimulationError(f"mode '{mode}' {how}")
        return programs

    def _advance(self, mode: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """One step: every new state takes its place. What the step observed is returned."""
        stepper = self._stepper(mode, self.turn(mode))
        self._live.steps[mode] += 1
        self._live.arrays, observed = stepper(self._live.arrays, inputs, self._hyperparameters(mode))
        return observed

    def _hyperparameters(self, mode: str) -> dict[str, Any]:
        step = ceil(self.steps[mode] / len(self.compiled.turns[mode]))  # of what is moved in this turn
        found = hyperparameters(self.compiled.common, self.rate, step)
        return {name: self.engine.array(np.asarray(value)) for name, value in found.items()}

    def _stepper(self, mode: str, turn: int = 0) -> Stepper:
        if (mode, turn) not in self._steppers:
            programs, states = self.compiled.turns[mode][turn], frozenset(self.compiled.states)
            average = self._averaging(programs)
            self._steppers[mode, turn] = Stepper(self.engine, programs, states, in_place=self.in_place, average=average)
        return self._steppers[mode, turn]

    def _averaging(self, programs: ModePrograms) -> Averaging | None:
        """Where projections run by themselves, all ranks draw the same noise and find the same: nothing is sent."""
        if self.ranks is None or programs.mode.isolates:
            return None
        kind = Overlapping if self.engine.announces else Averaging
        return kind(programs.observe, self.ranks)

    # ---- asking

    def predict(self, data: Any, batch: int = 1024) -> Any:
        """Rates of the output population for `data`, by running statistics; a mapping if there are several outputs."""
        rates = self._predicting.predict(data, batch)
        return rates if len(rates) > 1 else next(iter(rates.values()))

    def evaluate(self, data: Any, target: Any, batch: int = 1024) -> dict[str, float]:
        """Loss, and accuracy where targets are classes, over all of `data`, by running statistics.

        Every sample counts once.
        """
        return self._predicting.evaluate(data, target, batch)

    def assess(self, data: Any, target: Any) -> tuple[dict[str, float], dict[str, NDArray[np.generic]]]:
        """What `evaluate` says of one batch, and the scores (batch, *shape) of each output, by which it ranks classes.

        Scores are what the output's loss compares: logits, or rates where it is the squared error.
        """
        return self._predicting.assess(data, target)

    def read(self, name: str) -> NDArray[np.generic]:
        """A compartment of a population ("v1.rate") as it was in the last step with data, before consolidation.

        Watched compartments were kept; others are computed again from that step's batch and weights.
        """
        return self._last.read(name)

    def observe(self, names: Sequence[str], data: Any, target: Any = None) -> dict[str, NDArray[np.generic]]:
        """Compartments of populations ("v1.rate", "v1~.rate") as a step with these data would find them, by name.

        Nothing is changed. Where neurons drop out, the same ones do at every call with as many samples: a probe is
        comparable over time. Magnitudes that each step draws anew are those of the next step.
        """
        return self._observing.observe(names, data, target)

    def alignment(self, data: Any, target: Any) -> Alignment:
        """How feedback stands to feedforward on these data: angles and norms, computed on the engine's device, where
        the arrays are. Nothing is changed; what drops out is as in `observe`.
        """
        return self._observing.alignment(data, target)

    def delta_angles(self, data: Any, target: Any) -> dict[str, float]:
        """Degrees between the circuit's delta and the delta of exact backprop, all the way down through the same
        activities, at the soma of each forward population that errors reach (Akrout et al. 2019). Nothing is changed.
        """
        return dict(self.alignment(data, target).delta_angles)

    def show_magnitudes(self, label: str) -> NDArray[np.generic] | float:
        """How large the synapses of a projection are that has the signs of others. Those that each step draws anew are
        shown as the next step with data will have them.
        """
        return self._observing.magnitudes(label)

    # ---- state

    def state_dict(self) -> dict[str, NDArray[np.generic]]:
        """Every array that a resumed run needs, by name, and the number of steps of each mode (steps/MODE)."""
        return self._live.save()

    def load_state_dict(self, state: Mapping[str, ArrayLike]) -> None:
        """Put back what `state_dict` gave.

        Raises SimulationError where names or shapes differ, or weights lie outside of their bounds, and changes nothing
        then.
        """
        self._live.load(state)

    def get_state(self, name: str) -> NDArray[np.generic]:
        """A copy of one array of state."""
        return self._live.copy(name)

    def show_state(self, name: str) -> NDArray[np.generic]:
        """One array of state as it is now, to be read and not written into: no copy where the engine can do without."""
        return self._live.view(name)

    def set_state(self, name: str, value: ArrayLike) -> None:
        """Set one array of state. Raises SimulationError for an unknown name or another shape."""
        self._live.set(name, value)

    def check_in_step(self) -> None:
        """Raise RanksError, on every rank, unless all ranks hold the same: state to the last bit, steps, rate and seed.

        All ranks call it together; alone there is nothing to check. It reads the whole state: now and then is enough.
        What mirror steps write, and each rank finds for itself, may differ by rounding where devices add up in any
        order: there rank 0's value is taken first.
        """
        if self.ranks is None:
            return
        take_roundings(self.compiled, self._live, self.ranks)
        held = {**self._live.digest(), "rate": self.rate, "seed": self.seed}
        self.ranks.compare({**held, "consolidation": repr(self.compiled.common)})
