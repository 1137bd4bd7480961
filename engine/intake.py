"""Arrays from outside become the engine's: checked against what a program reads, as a whole or in batches."""

from collections.abc import Iterator, Mapping
from typing import Any

from numpy.typing import ArrayLike

from ..circuits.wiring import Shape
from .backends.base import Engine
from .batch import fit
from .compiler.program import Program
from .errors import SimulationError


class Intake:
    """Takes what users hand in for an engine. `shapes` are those of the populations."""

    def __init__(self, engine: Engine[Any], shapes: Mapping[str, Shape]) -> None:
        self._engine = engine
        self._shapes = shapes

    def whole(
        self, program: Program, data: Any, target: Any, modulators: Mapping[str, ArrayLike] | None = None
    ) -> dict[str, Any]:
        """Everything as one batch, by input name. Raises SimulationError for what does not fit (see `fit`)."""
        return self._converted(program, fit(program, self._shapes, data, target, modulators or {}))

    def batches(self, program: Program, data: Any, target: Any, size: int) -> Iterator[tuple[dict[str, Any], int]]:
        """Batches of `size` samples, the last one smaller, each with how many it holds."""
        if size < 1:
            raise SimulationError(f"batch must be at least 1 (got {size})")
        whole = fit(program, self._shapes, data, target, {})
        samples = len(next(iter(whole.values())))
        for start in range(0, samples, size):
            part = {name: value[start : start + size] for name, value in whole.items()}
            yield self._converted(program, part), min(size, samples - start)

    def _converted(self, program: Program, arrays: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self._engine.array(value, program.inputs[name]["dtype"]) for name, value in arrays.items()}


def samples_of(program: Program, batch: Mapping[str, Any]) -> int:
    """How many samples a batch holds; 0 where a program reads no data."""
    return next((len(value) for name, value in batch.items() if program.inputs[name].batched), 0)
