"""The last step with data, for those who read afterwards what was there: compartments, before consolidation."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .backends.base import Engine, Executable
from .compiler.compile import CompiledCircuit
from .errors import SimulationError
from .observing import reading


class LastStep:
    """Keeps the compartments that were watched, and the state and batch from which the others are computed again.

    With `in_place`, the state that a step saw is gone when it ends: then there are only those that were watched.
    """

    def __init__(self, compiled: CompiledCircuit, engine: Engine[Any], in_place: bool) -> None:
        self._compiled = compiled
        self._engine = engine
        self._in_place = in_place
        self._seen: tuple[str, Mapping[str, Any]] | None = None
        self._executables: dict[tuple[str, str], Executable[Any]] = {}
        self.watched: Mapping[str, Any] = {}
        """Arrays of the engine by watch/COMPARTMENT."""

    def keep(self, mode: str, inputs: Mapping[str, Any], observed: Mapping[str, Any]) -> None:
        """A step of a mode has run on these inputs, state included, and observed this."""
        self._seen = None if self._in_place else (mode, inputs)
        self.watched = {name: value for name, value in observed.items() if name.startswith("watch/")}

    def read(self, name: str) -> NDArray[np.generic]:
        """A compartment of a population ("v1.rate")."""
        if f"watch/{name}" in self.watched:
            return self._engine.numpy(self.watched[f"watch/{name}"])
        if self._in_place:
            raise SimulationError(
                f"read('{name}') needs the state that the step saw, which a simulator that works in place has "
                f"overwritten: compile with watch=['{name}'], or with in_place=False"
            )
        if self._seen is None:
            raise SimulationError(f"read('{name}') needs a step with data first: call step(...)")
        mode, inputs = self._seen
        return self._engine.numpy(self._executable(mode, name)(inputs)[name])

    def _executable(self, mode: str, name: str) -> Executable[Any]:
        if (mode, name) not in self._executables:
            program = reading(self._compiled, [name], mode)
            self._executables[mode, name] = self._engine.compile(program, rarely=True)
        return self._executables[mode, name]
