"""The program: a flat list of pure operations over named values. What engines receive, and all they receive."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

from ...circuits.wiring import Shape


@dataclass(frozen=True, slots=True)
class Value:
    """The result of one operation.

    `shape` leaves the batch axis out; where `batched`, arrays have it as their first axis, and its size is read at run
    time. Operations with several results are read through `part`. `inputs` are positions of earlier values in the
    program. Values are equal when they compute the same thing: that is what sharing rests on.
    """

    operation: str
    inputs: tuple[int, ...]
    attributes: tuple[tuple[str, Any], ...]
    shape: Shape
    batched: bool

    def __getitem__(self, attribute: str) -> Any:
        return dict(self.attributes)[attribute]


@dataclass(frozen=True)
class Program:
    """Values in topological order and the names of those that are results.

    Programs are pure. Everything that comes from outside, noise included, is an `input` value with a name; everything
    that goes out is a named result. State changes by the caller's storing a result under the state's name.
    """

    name: str
    values: tuple[Value, ...]
    results: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "results", MappingProxyType(dict(self.results)))

    @cached_property
    def inputs(self) -> Mapping[str, Value]:
        """The declared inputs by name, in order."""
        return {value["name"]: value for value in self.values if value.operation == "input"}

    def count(self, operation: str) -> int:
        """How many values one operation makes."""
        return sum(value.operation == operation for value in self.values)

    def __iter__(self) -> Iterator[Value]:
        return iter(self.values)

    def __len__(self) -> int:
        return len(self.values)
