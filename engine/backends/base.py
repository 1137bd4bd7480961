"""What an engine must do: the whole contract. `engine.compiler.operations` defines the operations."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from math import prod
from types import MappingProxyType
from typing import Any, ClassVar, Generic, Literal, TypeAlias, TypeVar, final

import numpy as np
from numpy.typing import NDArray

from ...circuits.errors import CounterstreamError, suggest
from ..compiler.program import Program, Value

Array = TypeVar("Array")
Executable: TypeAlias = Callable[[Mapping[str, Array]], dict[str, Array]]
Kind: TypeAlias = Literal["float", "int"]


class EngineError(CounterstreamError):
    """Something that an engine was asked for and cannot give."""


class UnsupportedByEngine(EngineError):
    """A program holds what this engine does not know. Names the operation, its place and the remedy."""


class InputError(EngineError):
    """An executable was called without an input that its program declares, or with one of another shape."""


class Engine(ABC, Generic[Array]):
    """Makes executables of programs, in one dtype on one device.

    1. *Compiling* happens once and before any data are seen. A program that holds an operation, a wiring or a
       function that the engine does not know is refused, with all such places, before anything is built.
    2. *Calling.* An executable takes its inputs by name and returns its results by name. Names that the
       program does not declare are ignored. A declared one that is missing or of another shape is an
       InputError.
    3. *Order.* The effect is that of evaluating the values in the program's order. Engines may reorder, share
       and fuse, as long as results agree to rounding.
    4. *Purity.* An executable keeps no memory between calls and changes none of its inputs, but those that
       were named `donated` when it was compiled: of these it may make what it likes, and a result that bears
       the name of one is put into the memory of that one. Every read of a donated input precedes what is
       written over it. A result may share memory with an input or with another result: whoever receives it
       must not write into it.
    5. *Batch.* The size of the batch is read from the arrays at every call; another size needs no
       recompilation. Parts of a program that do not meet may have batches of different sizes.
    6. *Shapes.* Batched values have the batch as first axis. In elementwise operations a value of shape ()
       meets any shape: one number for all where it is not batched, one number a sample where it is.
    7. *Numbers.* Values of kind `float` have the engine's dtype, those of kind `int` are int64. An engine whose
       dtype is too narrow for sums and small steps (bfloat16) computes batched values and products in it, and keeps
       what arrives, what is not batched, and the sums over a batch in a wider one. Results do not depend on the
       number of threads in a way that a second call would not repeat.
    8. *Ranks.* The operation `across` calls the engine's `across`, which waits for other processes: all such calls are
       made at every run, in the same order on all ranks.
    9. *No gradients.* Nothing is recorded for automatic differentiation: what flows back is in the program.
    10. *Conformance.* The suite of `counterstream.testing` passes, but for tests that `expected_failures` names with a
       reason.
    """

    name: ClassVar[str]
    dtypes: ClassVar[tuple[str, ...]]  # the first is the default
    operations: ClassVar[frozenset[str]]
    wirings: ClassVar[frozenset[str]]  # by kind
    joins: ClassVar[bool] = False  # whether a step is better one program than two even where nothing is overwritten
    announces: ClassVar[bool] = False  # whether its executables can tell of a result before they end
    functions: ClassVar[Mapping[str, frozenset[str]]]  # by operation: what its function, name or loss may be
    expected_failures: ClassVar[Mapping[str, str]] = MappingProxyType({})  # test of the conformance suite: why it fails

    def __init__(self, *, dtype: str | None = None, device: str = "cpu") -> None:
        self.dtype = self.dtypes[0] if dtype is None else dtype
        self.device = device
        self.across: Callable[[Array], Array] = lambda value: value
        """The sum of an array over the ranks that share a model. Who compiles for several sets it."""
        if self.dtype not in self.dtypes:
            raise EngineError(
                f"engine '{self.name}': dtype must be one that the engine computes in (got {dtype!r}). "
                f"{suggest(self.dtype, self.dtypes, 'dtypes')}"
            )

    @classmethod
    def dtypes_on(cls, device: str) -> tuple[str, ...]:
        """The dtypes that it computes in on a device, where that is not all of them. Raises EngineError."""
        return cls.dtypes

    @final
    def compile(
        self,
        program: Program,
        donated: Collection[str] = (),
        *,
        rarely: bool = False,
        announce: Callable[[str, Array], Any] | None = None,
    ) -> Executable[Array]:
        """The program as a function, which may overwrite inputs that are `donated`. Raises UnsupportedByEngine.

        `rarely`: it will be called so seldom that a long compilation does not pay. `announce`, for engines that can:
        see `lower_announcing`.
        """
        problems = [
            f"engine '{self.name}': program '{program.name}', value {index}: {problem}"
            for index, value in enumerate(program)
            if (problem := self._problem(value))
        ]
        if problems:
            raise UnsupportedByEngine("\n".join(problems))
        if announce is not None:
            return self.lower_announcing(program, announce)
        lower = self.lower_quickly if rarely else self.lower
        return lower(program, frozenset(donated) & program.inputs.keys())

    @abstractmethod
    def lower(self, program: Program, donated: frozenset[str] = frozenset()) -> Executable[Array]:
        """The function of a program that is known to be supported. `donated` are names of its inputs."""

    def lower_quickly(self, program: Program, donated: frozenset[str] = frozenset()) -> Executable[Array]:
        """The same for a program that will be called rarely; engines that take long to compile do less here."""
        return self.lower(program, donated)

    def lower_announcing(self, program: Program, announce: Callable[[str, Array], Any]) -> Executable[Array]:
        """As `lower`, of engines that announce: at every call `announce(name, result)` is called once for each result,
        as soon as it is known, in one order at every call; what it gives stands in the result's place in the end.
        """
        raise EngineError(f"engine '{self.name}' announces no results")

    @abstractmethod
    def array(self, value: NDArray[np.generic] | Array, kind: Kind = "float") -> Array:
        """The value on this engine's device, as inputs lie there: in its dtype or the wider one (kind `int`: int64).

        May share memory with `value`.
        """

    @abstractmethod
    def numpy(self, value: Array) -> NDArray[np.generic]:
        """A NumPy copy that shares no memory with `value`, in a number format that NumPy has."""

    def view(self, value: Array) -> NDArray[np.generic]:
        """The value as a NumPy array that nobody may write into; it may share memory with `value`."""
        return self.numpy(value)

    def scaled(self, value: Array, factor: float, amount: float) -> Array:
        """factor * value + amount: the only arithmetic that anyone does with an engine's arrays outside of programs."""
        array: Any = value
        return array * factor + amount

    @abstractmethod
    def noise(self, distribution: str, shape: tuple[int, ...], seed: tuple[int, ...]) -> Array:
        """White noise of mean 0 and variance 1: `normal`, `uniform` on [-sqrt 3, sqrt 3], or `rademacher` (-1 or 1).

        The same seed, shape, dtype and kind of device give the same numbers, in any process. Different
        engines give different numbers: to compare engines, draw once and hand the same array to both.
        """

    def _problem(self, value: Value) -> str:
        """Why this value cannot be computed, and the remedy; empty where it can."""
        if value.operation not in self.operations:
            return (
                f"operation '{value.operation}' is not supported. Use engine='reference', which defines "
                f"all, or another one. {suggest(value.operation, sorted(self.operations), 'supported')}"
            )
        attributes = dict(value.attributes)
        if "geometry" in attributes and attributes["geometry"].wiring.kind not in self.wirings:
            kind = attributes["geometry"].wiring.kind
            return (
                f"{value.operation} over wiring '{kind}' is not supported. Use another wiring. "
                f"{suggest(kind, sorted(self.wirings), 'supported')}"
            )
        if value.operation in self.functions:
            chosen = next(str(attributes[key]) for key in ("function", "name", "loss") if key in attributes)
            valid = self.functions[value.operation]
            if chosen not in valid:
                return (
                    f"{value.operation} '{chosen}' is not supported. Use another. "
                    f"{suggest(chosen, sorted(valid), 'supported')}"
                )
        return ""


class Binding(Generic[Array]):
    """Takes a program's inputs out of a mapping, in order, and refuses what does not fit before anything is
    computed."""

    def __init__(self, program: Program) -> None:
        self._program = program.name
        self._inputs = tuple((name, value.shape, value.batched) for name, value in program.inputs.items())
        self._least = _least_batches(program)

    def __call__(self, arrays: Mapping[str, Array]) -> list[Array]:
        bound = []
        for name, shape, batched in self._inputs:
            if name not in arrays:
                wanted = ["batch", *shape] if batched else list(shape)
                raise InputError(
                    f"program '{self._program}': input '{name}' must be supplied, shape {wanted} (got none). "
                    f"{suggest(name, arrays, 'supplied')}"
                )
            found: tuple[int, ...] = arrays[name].shape  # type: ignore[attr-defined]
            if (found[1:] if batched else found) != shape or (batched and not found):
                wanted = ["batch", *shape] if batched else list(shape)
                raise InputError(
                    f"program '{self._program}': input '{name}' must have shape {wanted} (got {list(found)})."
                )
            least = self._least.get(name, 1)
            if batched and found[0] < least:
                raise InputError(
                    f"program '{self._program}': input '{name}' must hold at least {least} samples "
                    f"(got {found[0]}). Leave so small a batch out; where one neuron a channel is "
                    "normalized over the batch, two samples are the least."
                )
            bound.append(arrays[name])
        return bound


def _least_batches(program: Program) -> dict[str, int]:
    """Inputs that need two samples: those whose batch reaches a normalization with one position a channel,
    where the unbiased variance of one sample does not exist."""
    least: dict[str, int] = {}
    for value in program:
        if value.operation == "normalize" and prod(value.shape[1:]) == 1:
            source = value
            while source.operation != "input":
                source = next(program.values[i] for i in source.inputs if program.values[i].batched)
            least[source["name"]] = 2
    return least
