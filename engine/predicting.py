"""What a circuit answers by running statistics, and how good that is. Nothing is changed."""

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .backends.base import Engine, Executable
from .batch import given_as_classes
from .compiler.compile import CompiledCircuit
from .errors import SimulationError
from .intake import Intake
from .live_state import LiveState
from .metrics import metrics_of


class Predicting:
    """Runs the programs `predict` and `evaluate` of a circuit with its state as it is at each call."""

    def __init__(self, compiled: CompiledCircuit, engine: Engine[Any], live: LiveState, intake: Intake) -> None:
        self._compiled = compiled
        self._engine = engine
        self._live = live
        self._intake = intake

    def predict(self, data: Any, batch: int) -> dict[str, NDArray[np.generic]]:
        """Rates by output population."""
        run, program = self._predict, self._compiled.predict
        parts = [run({**self._live.arrays, **inputs}) for inputs, _ in self._intake.batches(program, data, None, batch)]
        return {
            name.partition("/")[2]: np.concatenate([self._engine.numpy(part[name]) for part in parts])
            for name in parts[0]
        }

    def evaluate(self, data: Any, target: Any, batch: int) -> dict[str, float]:
        """Means over all samples, each of which counts once."""
        self._check_evaluable()
        run, program = self._evaluate, self._compiled.evaluate
        classed = given_as_classes(program, target)
        totals: dict[str, float] = {}
        samples = 0
        for inputs, size in self._intake.batches(program, data, target, batch):
            samples += size
            for name, value in metrics_of(run({**self._live.arrays, **inputs}), classed, self._engine).items():
                totals[name] = totals.get(name, 0.0) + size * value
        return {name: total / samples for name, total in totals.items()}

    def assess(self, data: Any, target: Any) -> tuple[dict[str, float], dict[str, NDArray[np.generic]]]:
        """Means over one batch, and the scores of each output."""
        self._check_evaluable()
        program = self._compiled.evaluate
        found = self._evaluate({**self._live.arrays, **self._intake.whole(program, data, target)})
        scores = {name.partition("/")[2]: value for name, value in found.items() if name.startswith("score/")}
        metrics = metrics_of(found, given_as_classes(program, target), self._engine)
        return metrics, {name: self._engine.numpy(value) for name, value in scores.items()}

    def _check_evaluable(self) -> None:
        if not self._compiled.graph.outputs:
            raise SimulationError("evaluate needs an output: no population of the circuit has a loss")

    @cached_property
    def _predict(self) -> Executable[Any]:
        return self._engine.compile(self._compiled.predict)

    @cached_property
    def _evaluate(self) -> Executable[Any]:
        return self._engine.compile(self._compiled.evaluate)
