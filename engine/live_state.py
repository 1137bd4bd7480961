"""What lives from step to step: the arrays of a simulator's state, and how many steps it has run. In and out."""

from collections.abc import Mapping
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..circuits.errors import suggest
from .backends.base import Engine
from .batch import numbers
from .compiler.compile import CompiledCircuit
from .errors import SimulationError


class LiveState:
    """Arrays of the engine by state name, drawn from a seed where they are not given, and steps by mode.

    With `in_place`, `put` writes into the arrays that there are.
    """

    def __init__(
        self, compiled: CompiledCircuit, engine: Engine[Any], seed: int, given: Mapping[str, ArrayLike], in_place: bool
    ) -> None:
        self._specs = compiled.states
        self.engine = engine
        self._in_place = in_place
        fitted = {name: self._fitted(name, value) for name, value in given.items()}
        self.arrays: dict[str, Any] = {
            name: fitted[name] if name in fitted else engine.array(spec.draw(seed))
            for name, spec in self._specs.items()
        }
        self.steps: dict[str, int] = dict.fromkeys(compiled.modes, 0)

    # ---- one array

    def copy(self, name: str) -> NDArray[np.generic]:
        return self.engine.numpy(self.arrays[name])

    def view(self, name: str) -> NDArray[np.generic]:
        """To be read and not written into: no copy where the engine can do without."""
        return self.engine.view(self.arrays[name])

    def set(self, name: str, value: ArrayLike) -> None:
        """Raises SimulationError for an unknown name, another shape, or weights outside of their bounds."""
        self.arrays = {**self.arrays, name: self._fitted(name, value)}

    def put(self, name: str, value: Any) -> None:
        """Put an array of the engine in the place of one of its shape."""
        if self._in_place:
            self.arrays[name][...] = value
        else:
            self.arrays = {**self.arrays, name: self.engine.array(value)}

    def _fitted(self, name: str, value: ArrayLike) -> Any:
        """A copy of a value of one state, as an array of the engine."""
        if name not in self._specs:
            raise SimulationError(f"unknown state '{name}'. {suggest(name, self._specs, 'states')}")
        array, shape = np.asarray(numbers(value, name)), self._specs[name].shape
        if array.shape != shape:
            raise SimulationError(f"{name} must have shape {list(shape)} (got {list(array.shape)})")
        self._check_kept(name, array)
        return self.engine.array(array.copy())

    def _check_kept(self, name: str, value: NDArray[Any]) -> None:
        """Raise SimulationError for weights that lie outside of what they are kept to."""
        spec = self._specs[name]
        if spec.constraint is not None and spec.geometry is not None:
            wrong = spec.constraint.violation(value.astype(np.float64), spec.geometry)
            if wrong is not None:
                raise SimulationError(f"{name} must keep {spec.constraint} (got {wrong:g})")

    # ---- all of it

    def save(self) -> dict[str, NDArray[np.generic]]:
        """Copies of all arrays by name, and the number of steps of each mode under steps/MODE."""
        return {name: self.copy(name) for name in self.arrays} | {
            f"steps/{mode}": np.asarray(count) for mode, count in self.steps.items()
        }

    def load(self, saved: Mapping[str, ArrayLike]) -> None:
        """Put back what `save` gave, or raise SimulationError and change nothing."""
        expected = {name: spec.shape for name, spec in self._specs.items()}
        expected |= {f"steps/{mode}": () for mode in self.steps}
        missing, unknown = expected.keys() - saved.keys(), saved.keys() - expected.keys()
        if missing or unknown:
            wrong = ", ".join([f"without {n}" for n in sorted(missing)] + [f"unknown {n}" for n in sorted(unknown)])
            raise SimulationError(f"the state must be this circuit's ({wrong})")
        arrays = {name: np.asarray(value) for name, value in saved.items()}
        for name, shape in expected.items():
            if arrays[name].shape != shape:
                raise SimulationError(f"{name} must have shape {list(shape)} (got {list(arrays[name].shape)})")
        for name in self._specs:
            self._check_kept(name, arrays[name])
        self.steps = {mode: int(arrays[f"steps/{mode}"]) for mode in self.steps}
        self.arrays = {name: self.engine.array(arrays[name].copy()) for name in self._specs}

    def digest(self) -> dict[str, int]:
        """Checksums of all arrays by name, and the number of steps of each mode under steps/MODE."""
        sums = {name: crc32(self.view(name).tobytes()) for name in self.arrays}
        return sums | {f"steps/{mode}": count for mode, count in self.steps.items()}
