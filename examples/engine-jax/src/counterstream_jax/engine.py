"""From a program to a function of JAX arrays, compiled by `jax.jit`."""

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from counterstream.circuits.errors import suggest
from counterstream.engine.backends.base import Binding, Engine, EngineError, Executable, Kind
from counterstream.engine.backends.noise import generator_seed, known_distribution
from counterstream.engine.compiler.program import Program, Value

from . import elementwise, populations
from . import wirings as laid  # `wirings` is an attribute of engines

Arrays = tuple[jax.Array, ...]
ELEMENTWISE_OF_TWO = frozenset({"add", "multiply", "divide"})


def in_full() -> Any:
    """Numbers of 64 bits, which JAX otherwise cuts to 32: for the time of one call, and for this thread alone."""
    return jax.enable_x64(True)


class JaxEngine(Engine[jax.Array]):
    """Whole steps, compiled by XLA: observing and consolidating are one function.

    `device`: `cpu`, or, where JAX has such devices, `cuda`, `cuda:1`; `auto` is JAX's own choice. A program is compiled
    once for each size of the batch, at the first call with it; one that is called rarely runs operation by operation.
    The process-wide settings of JAX stay as they are.
    """

    name: ClassVar[str] = "jax"
    dtypes: ClassVar[tuple[str, ...]] = ("float32", "float64")
    joins: ClassVar[bool] = True
    wirings: ClassVar[frozenset[str]] = laid.WIRINGS
    functions: ClassVar[Mapping[str, frozenset[str]]] = MappingProxyType(
        {
            "transfer": frozenset(populations.TRANSFERS),
            "gate": frozenset(populations.DERIVATIVES),
            "error": frozenset(populations.LOSSES),
            "loss": frozenset(populations.LOSSES),
            "function": frozenset(elementwise.FUNCTIONS),
        }
    )
    _table: ClassVar[Mapping[str, Callable[..., Any]]] = {
        **laid.OPERATIONS,
        **populations.OPERATIONS,
        **elementwise.OPERATIONS,
        "part": lambda value, whole: whole[value["index"]],
    }
    operations: ClassVar[frozenset[str]] = frozenset({*_table, "input", "ones", "one_hot", "samples", "across"})

    def __init__(self, *, dtype: str | None = None, device: str = "cpu") -> None:
        super().__init__(dtype=dtype, device=device)
        self._device = jax_device(device)

    # ---- programs

    def lower(self, program: Program, donated: frozenset[str] = frozenset()) -> Executable[jax.Array]:
        written = donated & program.results.keys()  # what is not written anew is read again: it stays the caller's
        places = tuple(place for place, name in enumerate(program.inputs) if name in written)
        return self._executable(program, jax.jit(self._function(program), donate_argnums=places))

    def lower_quickly(self, program: Program, donated: frozenset[str] = frozenset()) -> Executable[jax.Array]:
        return self._executable(program, self._function(program))

    def _executable(self, program: Program, function: Callable[..., Arrays]) -> Executable[jax.Array]:
        bind: Binding[jax.Array] = Binding(program)

        def execute(inputs: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
            with in_full():
                return dict(zip(program.results, function(*bind(inputs)), strict=True))

        return execute

    def _function(self, program: Program) -> Callable[..., Arrays]:
        """The program as a pure function: inputs in the order of `program.inputs`, results in that of its results."""

        def run(*arrays: jax.Array) -> Arrays:
            supplied = dict(zip(program.inputs, arrays, strict=True))
            computed: list[Any] = []
            for value in program:
                operands = [_meeting(value, program.values[i], computed[i]) for i in value.inputs]
                computed.append(self._evaluate(value, operands, supplied))
            return tuple(computed[index] for index in program.results.values())

        run.__name__ = re.sub(r"\W", "_", program.name)  # which XLA's own tools show
        return run

    def _evaluate(self, value: Value, operands: list[Any], supplied: Mapping[str, jax.Array]) -> Any:
        """One value from its operands."""
        match value.operation:
            case "input":
                return supplied[value["name"]]
            case "ones":
                return jnp.ones((len(operands[0]), *value.shape), self.dtype)
            case "one_hot":
                return jax.nn.one_hot(operands[0], value.shape[0], dtype=self.dtype)
            case "samples":
                return jnp.asarray(len(operands[0]), self.dtype)
            case "across":
                return self._summed(operands[0])
            case operation:
                return self._table[operation](value, *operands)

    def _summed(self, value: jax.Array) -> jax.Array:
        """`across` waits for other processes: a call out of the compiled function, in its place among others of it."""
        like = jax.ShapeDtypeStruct(value.shape, value.dtype)
        summed: jax.Array = jax.experimental.io_callback(
            lambda array: np.asarray(self.across(np.array(array))), like, value, ordered=True
        )
        return summed

    # ---- arrays

    def array(self, value: NDArray[Any] | jax.Array, kind: Kind = "float") -> jax.Array:
        with in_full():
            dtype = self.dtype if kind == "float" else "int64"
            return jax.device_put(jnp.array(value, dtype), self._device)

    def numpy(self, value: jax.Array) -> NDArray[Any]:
        return np.array(value)

    def view(self, value: jax.Array) -> NDArray[Any]:
        return np.asarray(value)

    def scaled(self, value: jax.Array, factor: float, amount: float) -> jax.Array:
        with in_full():
            return value * factor + amount

    def noise(self, distribution: str, shape: tuple[int, ...], seed: tuple[int, ...]) -> jax.Array:
        name = known_distribution(distribution)
        with in_full(), jax.default_device(self._device):
            key = jax.random.key(generator_seed(seed))
            return self.array(self._draws[name](key, shape))

    @cached_property
    def _draws(self) -> Mapping[str, Callable[[jax.Array, tuple[int, ...]], jax.Array]]:
        reach = 3**0.5
        return {
            "normal": lambda key, shape: jax.random.normal(key, shape, self.dtype),
            "uniform": lambda key, shape: jax.random.uniform(key, shape, self.dtype, -reach, reach),
            "rademacher": lambda key, shape: jax.random.rademacher(key, shape, self.dtype),
        }


def jax_device(name: str) -> jax.Device:
    """The device of this name. Raises EngineError where there is none such."""
    if name == "auto":
        return jax.devices()[0]
    platform, _, number = name.partition(":")
    if platform not in ("cpu", "cuda") or not (number or "0").isdecimal() or name.endswith(":"):
        raise EngineError(
            f"engine 'jax': device must be a known one (got {name!r}). "
            f"{suggest(name, ('cpu', 'cuda', 'cuda:1', 'auto'), 'devices')}"
        )
    try:
        found = jax.devices(platform)
    except RuntimeError:  # JAX was installed without this platform, or finds no such device
        found = []
    if int(number or 0) >= len(found):
        raise EngineError(
            f"engine 'jax': device must be one of the {len(found)} that JAX has of kind '{platform}' (got {name!r}). "
            "Use device='auto' or 'cpu'."
        )
    return found[int(number or 0)]


def _meeting(value: Value, operand: Value, array: Any) -> Any:
    """Elementwise, one number a sample, (N,), becomes (N, 1, ..., 1) so that it meets all of the sample's neurons."""
    if value.operation in ELEMENTWISE_OF_TWO and operand.batched and operand.shape == ():
        return array.reshape(-1, *(1,) * len(value.shape))
    return array
