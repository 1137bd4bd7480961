"""Builds programs. Equal operations on equal values are made once (hash-consing), so sharing costs nothing and is never
a special case: where Kolen-Pollack asks for one correlation twice, it gets the same value twice."""

from collections.abc import Mapping
from math import prod
from typing import Any

from ...circuits.wiring import Geometry, Shape
from .ordering import in_order
from .program import Program, Value

Ref = int  # the position of a value in the program under construction


class ProgramBuilder:
    """Emits values and remembers them. Methods return positions of values; shapes are inferred and asserted."""

    def __init__(self, name: str, *, shared: bool = False) -> None:
        """`shared`: the program is one of ranks that share a model, each with a part of the batch."""
        self.name = name
        self.shared = shared
        self._values: list[Value] = []
        self._known: dict[Value, Ref] = {}
        self.results: dict[str, Ref] = {}

    def _emit(self, operation: str, *inputs: Ref, shape: Shape, batched: bool, **attributes: Any) -> Ref:
        value = Value(operation, inputs, tuple(sorted(attributes.items())), shape, batched)
        place = self._known.setdefault(value, len(self._values))
        if place == len(self._values):
            self._values.append(value)
        return place

    def __getitem__(self, ref: Ref) -> Value:
        return self._values[ref]

    # ---- what comes from outside

    def input(self, name: str, shape: Shape, *, role: str, batched: bool = False, dtype: str = "float") -> Ref:
        return self._emit("input", shape=shape, batched=batched, name=name, role=role, dtype=dtype)

    def ones(self, like: Ref, shape: Shape) -> Ref:
        assert self[like].batched
        return self._emit("ones", like, shape=shape, batched=True)

    def one_hot(self, label: Ref, classes: int) -> Ref:
        return self._emit("one_hot", label, shape=(classes,), batched=True)

    # ---- wirings

    def project(self, pre: Ref, weight: Ref | None, geometry: Geometry) -> Ref:
        assert self[pre].shape == geometry.lower, (self[pre], geometry)
        inputs = (pre,) if weight is None else (pre, weight)
        return self._emit("project", *inputs, shape=geometry.upper, batched=True, geometry=geometry)

    def project_back(self, upper: Ref, weight: Ref | None, lower: Ref | None, geometry: Geometry) -> Ref:
        assert self[upper].shape == geometry.upper, (self[upper], geometry)
        inputs = tuple(ref for ref in (upper, weight, lower) if ref is not None)
        return self._emit("project_back", *inputs, shape=geometry.lower, batched=True, geometry=geometry)

    def correlate(self, lower: Ref, upper: Ref, geometry: Geometry) -> Ref:
        assert self[lower].shape == geometry.lower
        assert self[upper].shape == geometry.upper
        assert geometry.weight_shape is not None
        return self._emit("correlate", lower, upper, shape=geometry.weight_shape, batched=False, geometry=geometry)

    def per_tap(self, x: Ref, geometry: Geometry, kind: str) -> Ref:
        return self._emit("per_tap", x, shape=self[x].shape, batched=False, geometry=geometry, kind=kind)

    # ---- populations

    def offset(self, x: Ref, by: Ref) -> Ref:
        assert self[by].shape == self[x].shape[:1], (self[x], self[by])
        return self._emit("offset", x, by, shape=self[x].shape, batched=True)

    def part(self, x: Ref, index: int, shape: Shape, *, batched: bool) -> Ref:
        return self._emit("part", x, shape=shape, batched=batched, index=index)

    def normalize(
        self, soma: Ref, gain: Ref, bias: Ref, mean: Ref, variance: Ref, *, epsilon: float, momentum: float
    ) -> tuple[Ref, Ref, Ref, Ref, Ref]:
        """(gain * xhat + bias, mean, deviation, new running mean, new running variance)."""
        shape = self[soma].shape
        whole = self._emit(
            "normalize", soma, gain, bias, mean, variance, shape=shape, batched=True, epsilon=epsilon, momentum=momentum
        )
        channels = shape[:1]
        return (
            self.part(whole, 0, shape, batched=True),
            self.part(whole, 1, channels, batched=False),
            self.part(whole, 2, channels, batched=False),
            self.part(whole, 3, channels, batched=False),
            self.part(whole, 4, channels, batched=False),
        )

    def normalize_fixed(self, soma: Ref, gain: Ref, bias: Ref, mean: Ref, variance: Ref, *, epsilon: float) -> Ref:
        shape = self[soma].shape
        return self._emit(
            "normalize_fixed", soma, gain, bias, mean, variance, shape=shape, batched=True, epsilon=epsilon
        )

    def standardize(self, soma: Ref, mean: Ref, deviation: Ref) -> Ref:
        return self._emit("standardize", soma, mean, deviation, shape=self[soma].shape, batched=True)

    def normalize_back(self, gated: Ref, soma: Ref, gain: Ref, mean: Ref, deviation: Ref) -> tuple[Ref, Ref, Ref]:
        """(error at the soma, mean over the batch of summed gated * xhat, the same of gated)."""
        shape = self[soma].shape
        whole = self._emit("normalize_back", gated, soma, gain, mean, deviation, shape=shape, batched=True)
        return (
            self.part(whole, 0, shape, batched=True),
            self.part(whole, 1, shape[:1], batched=False),
            self.part(whole, 2, shape[:1], batched=False),
        )

    def transfer(self, x: Ref, function: str) -> Ref:
        return (
            x
            if function == "linear"
            else self._emit("transfer", x, shape=self[x].shape, batched=True, function=function)
        )

    def gate(self, error: Ref, x: Ref, rate: Ref, function: str) -> Ref:
        if function == "linear":
            return error
        return self._emit("gate", error, x, rate, shape=self[x].shape, batched=True, function=function)

    def error(self, x: Ref, label: Ref, loss: str) -> Ref:
        return self._emit("error", x, label, shape=self[x].shape, batched=True, loss=loss)

    def loss(self, x: Ref, label: Ref, loss: str) -> Ref:
        return self._emit("loss", x, label, shape=(), batched=False, loss=loss)

    def accuracy(self, x: Ref, label: Ref) -> Ref:
        return self._emit("accuracy", x, label, shape=(), batched=False)

    def batch_mean(self, x: Ref, positions: str) -> Ref:
        shape = self[x].shape if positions == "keep" else self[x].shape[:1]
        return self._emit("batch_mean", x, shape=shape, batched=False, positions=positions)

    # ---- ranks that share a model

    def samples(self, like: Ref) -> Ref:
        assert self[like].batched
        return self._emit("samples", like, shape=(), batched=False)

    def across(self, x: Ref) -> Ref:
        assert not self[x].batched
        return self._emit("across", x, shape=self[x].shape, batched=False)

    def over_ranks(self, mean: Ref, like: Ref) -> Ref:
        """A mean over the batch of which `like` is a value, as the mean over the batches of all ranks."""
        if not self.shared:
            return mean
        return self.divide(
            self.across(self.multiply(mean, self.samples(self._source(like)))), self.samples_of_all(like)
        )

    def samples_of_all(self, like: Ref) -> Ref:
        """How many samples the batch of which `like` is a value has on all ranks."""
        return self.across(self.samples(self._source(like)))

    def _source(self, x: Ref) -> Ref:
        """The input with whose batch a value came: it is asked for its samples, so that a program does so once."""
        while self[x].operation != "input":
            x = next(operand for operand in self[x].inputs if self[operand].batched)
        return x

    def positions(self, x: Ref) -> int:
        return prod(self[x].shape[1:])

    # ---- whole values

    def norm(self, x: Ref) -> Ref:
        return self._emit("norm", x, shape=(), batched=False)

    def angle(self, a: Ref, b: Ref) -> Ref:
        assert self[a].shape == self[b].shape, (self[a], self[b])
        return self._emit("angle", a, b, shape=(), batched=False)

    # ---- elementwise

    def _both(self, operation: str, a: Ref, b: Ref) -> Ref:
        left, right = self[a], self[b]
        assert left.shape == right.shape or () in (left.shape, right.shape), (operation, left, right)
        return self._emit(operation, a, b, shape=left.shape or right.shape, batched=left.batched or right.batched)

    def add(self, a: Ref, b: Ref) -> Ref:
        return self._both("add", a, b)

    def total(self, refs: list[Ref]) -> Ref:
        """The sum of at least one value, added in order."""
        result = refs[0]
        for ref in refs[1:]:
            result = self.add(result, ref)
        return result

    def multiply(self, a: Ref, b: Ref) -> Ref:
        return self._both("multiply", a, b)

    def divide(self, a: Ref, b: Ref) -> Ref:
        return self._both("divide", a, b)

    def _one(self, operation: str, a: Ref, **attributes: Any) -> Ref:
        return self._emit(operation, a, shape=self[a].shape, batched=self[a].batched, **attributes)

    def scale(self, a: Ref, factor: float) -> Ref:
        return a if factor == 1 else self._one("scale", a, factor=float(factor))

    def shift(self, a: Ref, amount: float) -> Ref:
        return a if amount == 0 else self._one("shift", a, amount=float(amount))

    def power(self, a: Ref, exponent: int) -> Ref:
        return a if exponent == 1 else self._one("power", a, exponent=exponent)

    def function(self, a: Ref, name: str) -> Ref:
        return self._one("function", a, name=name)

    # ---- the whole

    def program(self, results: Mapping[str, Ref] | None = None) -> Program:
        """The finished program with nothing in it that no result needs (an input that nobody reads goes too)."""
        wanted = dict(self.results if results is None else results)
        needed: set[Ref] = set()
        pending = list(wanted.values())
        while pending:
            ref = pending.pop()
            if ref not in needed:
                needed.add(ref)
                pending.extend(self[ref].inputs)
        kept = in_order(self._values, needed)
        place = {ref: position for position, ref in enumerate(kept)}
        values = tuple(
            Value(v.operation, tuple(place[i] for i in v.inputs), v.attributes, v.shape, v.batched)
            for v in (self[ref] for ref in kept)
        )
        return Program(self.name, values, {name: place[ref] for name, ref in wanted.items()})
