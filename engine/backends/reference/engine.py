"""Evaluates a program value by value, in the program's order."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...compiler.program import Program, Value
from ..base import Binding, Engine, EngineError, Executable, Kind
from ..noise import generator_seed, known_distribution
from . import functions as scalar  # `functions` and `wirings` are attributes of engines
from . import populations
from . import wirings as laid

_ELEMENTWISE_OF_TWO = frozenset({"add", "multiply", "divide"})


class ReferenceEngine(Engine[NDArray[Any]]):
    """NumPy on the CPU. Nothing is fused, shared or reordered: what is computed is what is written."""

    name: ClassVar[str] = "reference"
    dtypes: ClassVar[tuple[str, ...]] = ("float64", "float32")
    wirings: ClassVar[frozenset[str]] = laid.WIRINGS
    functions: ClassVar[Mapping[str, frozenset[str]]] = {
        "transfer": frozenset(populations.TRANSFERS),
        "gate": frozenset(populations.DERIVATIVES),
        "error": frozenset(populations.LOSSES),
        "loss": frozenset(populations.LOSSES),
        "function": frozenset(scalar.FUNCTIONS),
    }
    _table: ClassVar[Mapping[str, Callable[..., Any]]] = {
        **laid.OPERATIONS,
        **populations.OPERATIONS,
        **scalar.OPERATIONS,
        "part": lambda value, whole: whole[value["index"]],
    }
    operations: ClassVar[frozenset[str]] = frozenset({*_table, "input", "ones", "one_hot", "samples", "across"})

    def __init__(self, *, dtype: str | None = None, device: str = "cpu") -> None:
        super().__init__(dtype=dtype, device="cpu" if device == "auto" else device)
        if self.device != "cpu":
            raise EngineError(
                f"engine 'reference': device must be 'cpu' (got {device!r}). Use engine='torch' for others."
            )

    def lower(self, program: Program, donated: frozenset[str] = frozenset()) -> Executable[NDArray[Any]]:
        bind: Binding[NDArray[Any]] = Binding(program)

        def execute(inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
            supplied = dict(zip(program.inputs, bind(inputs), strict=True))
            computed: list[Any] = []
            for value in program:
                operands = [_meeting(value, program.values[i], computed[i]) for i in value.inputs]
                computed.append(self._evaluate(value, operands, supplied))
            results = {name: computed[index] for name, index in program.results.items()}
            for name in results.keys() & donated:
                supplied[name][...] = results[name]
                results[name] = supplied[name]
            return results

        return execute

    def _evaluate(self, value: Value, operands: list[Any], supplied: Mapping[str, NDArray[Any]]) -> Any:
        """One value from its operands."""
        match value.operation:
            case "input":
                return supplied[value["name"]]
            case "ones":
                return np.ones((len(operands[0]), *value.shape), self.dtype)
            case "one_hot":
                return (operands[0][:, None] == np.arange(value.shape[0])).astype(self.dtype)
            case "samples":
                return np.asarray(len(operands[0]), self.dtype)
            case "across":
                return self.across(operands[0])
            case operation:
                return self._table[operation](value, *operands)

    def array(self, value: NDArray[Any], kind: Kind = "float") -> NDArray[Any]:
        return np.asarray(value, self.dtype if kind == "float" else np.int64)

    def numpy(self, value: NDArray[Any]) -> NDArray[Any]:
        return np.array(value)

    def noise(self, distribution: str, shape: tuple[int, ...], seed: tuple[int, ...]) -> NDArray[Any]:
        random = np.random.default_rng(generator_seed(seed))
        drawn: NDArray[Any]
        match known_distribution(distribution):
            case "normal":
                drawn = random.standard_normal(shape)
            case "uniform":
                drawn = random.uniform(-np.sqrt(3), np.sqrt(3), shape)
            case _:
                drawn = random.integers(0, 2, shape) * 2.0 - 1.0
        return drawn.astype(self.dtype)


def _meeting(value: Value, operand: Value, array: Any) -> Any:
    """Elementwise, one number a sample, (N,), becomes (N, 1, ..., 1) so that it meets all of the sample's neurons."""
    if value.operation in _ELEMENTWISE_OF_TWO and operand.batched and operand.shape == ():
        return array.reshape(-1, *(1,) * len(value.shape))
    return array
