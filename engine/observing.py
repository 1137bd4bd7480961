"""Looking at a circuit without a step: what one would find, how feedback stands to feedforward. Nothing is changed."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..circuits.errors import CircuitError
from .alignment import Alignment
from .backends.base import Engine, Executable
from .compiler.compile import CompiledCircuit
from .compiler.magnitudes import magnitude_name, uniform_magnitude
from .compiler.program import Program
from .errors import SimulationError
from .intake import Intake, samples_of
from .live_state import LiveState
from .noise_source import PROBE, NoiseSource
from .ranks import Share


class Observing:
    """Runs programs that only look, on a circuit's state as it is at each call and a batch that is no step's.

    Who drops out is the same at every call; magnitudes that each step draws anew are those of the next step.
    """

    def __init__(
        self, compiled: CompiledCircuit, engine: Engine[Any], live: LiveState, noise: NoiseSource, intake: Intake
    ) -> None:
        self._compiled = compiled
        self._engine = engine
        self._live = live
        self._noise = noise
        self._intake = intake
        self._programs: dict[tuple[str, ...], Program] = {}
        self._executables: dict[str, Executable[Any]] = {}

    def observe(self, names: Sequence[str], data: Any, target: Any) -> dict[str, NDArray[np.generic]]:
        """Compartments of populations, by name."""
        wanted = tuple(names)
        if wanted not in self._programs:
            self._programs[wanted] = reading(self._compiled, names, self._compiled.data_mode, alone=True)
        return self._run(self._programs[wanted], data, target)

    def alignment(self, data: Any, target: Any) -> Alignment:
        """Angles and norms, computed where the arrays are."""
        return Alignment.of(self._run(self._compiled.alignment, data, target), self._compiled.graph)

    def magnitudes(self, label: str) -> NDArray[np.generic] | float:
        """How large the synapses of a projection are that has the signs of others."""
        uniform = uniform_magnitude(self._compiled.graph, label)
        if uniform is not None:
            return uniform
        name = magnitude_name(label)
        if label in self._compiled.redrawn:
            return np.asarray(np.abs(self._engine.numpy(self._redrawn([label])[name])))
        return np.asarray(np.abs(self._live.view(name)))

    def _run(self, program: Program, data: Any, target: Any) -> dict[str, NDArray[np.generic]]:
        if program.name not in self._executables:
            self._executables[program.name] = self._engine.compile(program, rarely=True)
        run = self._executables[program.name]
        wanted = [noise for noise in self._compiled.modes[self._compiled.data_mode].noise if noise.batched]
        batch = self._intake.whole(program, data, target)
        share = Share.all_of(samples_of(program, batch))
        masks = self._noise.draw(wanted, PROBE, 0, share=share, given={})
        given = {**self._live.arrays, **batch, **masks, **self._redrawn(self._compiled.redrawn)}
        return {name: self._engine.numpy(value) for name, value in run(given).items()}

    def _redrawn(self, labels: Iterable[str]) -> dict[str, Any]:
        """The magnitudes, by input name, that the next step with data will draw for these projections."""
        mode, wanted = self._compiled.data_mode, [self._compiled.redrawn[label] for label in labels]
        return self._noise.draw(wanted, mode, self._live.steps[mode], given={})


def reading(compiled: CompiledCircuit, names: Sequence[str], mode: str, *, alone: bool = False) -> Program:
    """The program that reads compartments in a mode (see `CompiledCircuit.reading`).

    Raises SimulationError where there are none by these names.
    """
    try:
        return compiled.reading(names, mode, alone=alone)
    except CircuitError as error:
        raise SimulationError(error.problems[0].message) from None
