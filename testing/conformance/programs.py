"""Programs made by hand, one value after the other, and what any engine makes of them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...circuits.wiring import Geometry, Pool, Shape
from ...engine.backends import Engine
from ...engine.compiler.program import Program, Value
from .candidate import REFERENCE, Candidate

Array = NDArray[Any]
SAMPLES = 3


class Hand:
    """Values written down one after the other; every method returns the new value's position.

    Names of inputs get `prefix`, so that several authors can write into one program.
    """

    def __init__(self) -> None:
        self.values: list[Value] = []
        self.arrays: dict[str, Array] = {}
        self.prefix = ""

    def input(self, name: str, given: ArrayLike, *, batched: bool = True) -> int:
        array = np.asarray(given)
        shape = array.shape[1:] if batched else array.shape
        dtype = "int" if array.dtype.kind == "i" else "float"
        self.arrays[self.prefix + name] = array
        return self.value("input", shape=shape, batched=batched, name=self.prefix + name, role="data", dtype=dtype)

    def value(self, operation: str, *inputs: int, shape: Shape, batched: bool = True, **attributes: Any) -> int:
        self.values.append(Value(operation, inputs, tuple(sorted(attributes.items())), shape, batched))
        return len(self.values) - 1

    def parts(self, whole: int, *shapes: Shape) -> list[int]:
        """All results of an operation with several: the first is batched, where it has the whole's shape."""
        first = self.values[whole].shape
        return [
            self.value("part", whole, shape=shape, batched=shape == first and index == 0, index=index)
            for index, shape in enumerate(shapes)
        ]

    def program(self, *results: int, name: str = "by hand") -> Program:
        return Program(name, tuple(self.values), {f"r{k}": index for k, index in enumerate(results)})

    def run(self, *results: int, engine: str = "reference", dtype: str = "float64") -> list[Array]:
        return self.answer(Candidate(engine, dtype), *results)

    def answer(self, candidate: Candidate, *results: int) -> list[Array]:
        """The results that a candidate finds, in order."""
        made = candidate.load()
        found = made.compile(self.program(*results))(supplied(made, self.program(), self.arrays))
        return [made.numpy(result) for result in found.values()]


def supplied(engine: Engine[Any], program: Program, arrays: Mapping[str, Array]) -> dict[str, Any]:
    """A program's inputs as arrays of an engine, each of its kind."""
    return {name: engine.array(arrays[name], value["dtype"]) for name, value in program.inputs.items()}


class Laid:
    """Random activities and weights on a geometry, with every operation that it allows."""

    def __init__(self, laid: Geometry, seed: int, *, ties: bool = False, hand: Hand | None = None) -> None:
        random = np.random.default_rng(seed)
        self.geometry = laid
        self.hand = hand = hand or Hand()
        below, above = (SAMPLES, *laid.lower), (SAMPLES, *laid.upper)
        self.lower = hand.input("lower", random.integers(-2, 3, below) * 1.0 if ties else random.normal(size=below))
        self.upper = hand.input("upper", random.normal(size=above))
        self.weights: tuple[int, ...] = ()
        if laid.weight_shape:
            self.weights = (hand.input("weight", random.normal(size=laid.weight_shape), batched=False),)
        is_max = isinstance(laid.wiring, Pool) and laid.wiring.over == "max"
        self.switches = (self.lower,) if is_max else ()

    @property
    def project(self) -> int:
        return self.hand.value("project", self.lower, *self.weights, shape=self.geometry.upper, geometry=self.geometry)

    @property
    def project_back(self) -> int:
        operands = (self.upper, *self.weights, *self.switches)
        return self.hand.value("project_back", *operands, shape=self.geometry.lower, geometry=self.geometry)

    @property
    def correlate(self) -> int:
        shape = self.geometry.weight_shape
        assert shape is not None
        return self.hand.value("correlate", self.lower, self.upper, shape=shape, batched=False, geometry=self.geometry)

    def per_tap(self, kind: str) -> int:
        (weight,) = self.weights
        shape = self.hand.values[weight].shape
        return self.hand.value("per_tap", weight, shape=shape, batched=False, geometry=self.geometry, kind=kind)

    def everything(self) -> list[int]:
        """All that the geometry allows."""
        asked = [self.project, self.project_back]
        if self.weights:
            asked += [self.correlate, self.per_tap("mean"), self.per_tap("seen")]
        return asked


def expected(hand: Hand, *results: int) -> list[Array]:
    """What the reference finds."""
    return hand.answer(REFERENCE, *results)
