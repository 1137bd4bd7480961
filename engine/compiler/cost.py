"""What operations cost: arithmetic and bytes, from shapes and geometries alone.

Conventions. A *multiply-add* is one product added to a sum; contractions are counted in them, and flops are twice as
many. Convolutions count every tap at every position, padding included, as other counters do. Everything else counts one
flop for each element of its result, pools one for each element of their windows, and normalization one for each element
and pass over it. Bytes are what would move if every operation read its operands from memory and wrote its result there,
once each: fusing operations saves bytes, caches save time, neither saves flops.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import prod
from types import MappingProxyType

from ...circuits.wiring import Conv, Dense, Flatten, Geometry, OneToOne, Pool
from .program import Value

GATED_BY_RATE = frozenset({"relu", "relu6", "tanh", "sigmoid"})
"""Transfer functions whose derivative follows from the rate, so that a gate need not keep what came before it."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Multiply-adds, other arithmetic (in flops), and bytes read and written."""

    multiply_adds: int = 0
    elementwise: int = 0
    read: int = 0
    written: int = 0

    @property
    def flops(self) -> int:
        return 2 * self.multiply_adds + self.elementwise

    @property
    def moved(self) -> int:
        """Bytes read and written."""
        return self.read + self.written

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            self.multiply_adds + other.multiply_adds,
            self.elementwise + other.elementwise,
            self.read + other.read,
            self.written + other.written,
        )


def sum_of(costs: Iterable[Cost]) -> Cost:
    """The sum of costs."""
    return sum(costs, Cost())


@dataclass(frozen=True, slots=True)
class Sized:
    """A value and its number of samples (1 for a value without a batch axis)."""

    value: Value
    samples: int

    @property
    def elements(self) -> int:
        return prod(self.value.shape) * self.samples


@dataclass(frozen=True, slots=True)
class Work:
    """What one operation does. A `view` only names numbers anew: no byte moves."""

    multiply_adds: int = 0
    elementwise: int = 0
    view: bool = False
    unread: tuple[int, ...] = ()
    """The operands, by number, at whose elements it does not look."""


# ---- wirings


def _contraction(geometry: Geometry) -> int:
    """Multiply-adds of one sample, the same for `project` and for its adjoints in the activity and in the weight."""
    assert geometry.weight_shape is not None
    shared_over = geometry.positions if isinstance(geometry.wiring, Conv) else 1
    return prod(geometry.weight_shape) * shared_over


def _window(geometry: Geometry) -> int:
    """Elements of all windows of a pool."""
    assert isinstance(geometry.wiring, Pool)
    return geometry.upper[0] * geometry.wiring.neurons_read(geometry.lower, geometry.upper)


def _carried(result: Sized, operands: Sequence[Sized]) -> Work:
    """`project` and `project_back`."""
    samples, geometry = operands[0].samples, result.value["geometry"]
    match geometry.wiring:
        case Conv() | Dense():
            return Work(multiply_adds=samples * _contraction(geometry))
        case Pool():
            return Work(elementwise=samples * _window(geometry))
        case OneToOne(source=source, target=target):
            written = source if result.value.operation == "project_back" else target
            return Work(view=written is None or written == (0, result.value.shape[0]))
        case Flatten():
            return Work(view=True)
    raise AssertionError(f"the cost of {geometry.wiring.kind} is not defined")


def _correlate(result: Sized, operands: Sequence[Sized]) -> Work:
    return Work(multiply_adds=operands[0].samples * _contraction(result.value["geometry"]))


# ---- everything else


def _view(result: Sized, operands: Sequence[Sized]) -> Work:
    return Work(view=True)


def _each(result: Sized, operands: Sequence[Sized]) -> Work:
    """One flop for each element of the result."""
    return Work(elementwise=result.elements)


def _like(result: Sized, operands: Sequence[Sized]) -> Work:
    """Only the operand's number of samples matters."""
    return Work(elementwise=result.elements, unread=(0,))


def _reduction(result: Sized, operands: Sequence[Sized]) -> Work:
    """One flop for each element of the first operand."""
    return Work(elementwise=operands[0].elements)


def _three_passes(result: Sized, operands: Sequence[Sized]) -> Work:
    """Two sums over the batch, then the result; or, for angles, lengths, units and their differences."""
    return Work(elementwise=3 * operands[0].elements)


def _gate(result: Sized, operands: Sequence[Sized]) -> Work:
    """(error, x, rate): one of the last two is enough."""
    return Work(elementwise=result.elements, unread=(1,) if result.value["function"] in GATED_BY_RATE else (2,))


Counting = Callable[[Sized, Sequence[Sized]], Work]

_TABLE: dict[str, Counting] = {
    "input": _view,
    "ones": _like,
    "one_hot": _each,
    "project": _carried,
    "project_back": _carried,
    "correlate": _correlate,
    "per_tap": _each,
    "offset": _each,
    "normalize": _three_passes,
    "normalize_fixed": _each,
    "standardize": _each,
    "normalize_back": _three_passes,
    "transfer": _each,
    "gate": _gate,
    "error": _each,
    "loss": _reduction,
    "accuracy": _reduction,
    "batch_mean": _reduction,
    "samples": _like,
    "across": _each,
    "norm": _reduction,
    "angle": _three_passes,
    "add": _each,
    "multiply": _each,
    "divide": _each,
    "scale": _each,
    "shift": _each,
    "power": _each,
    "function": _each,
    "part": _view,
}

COUNTING = MappingProxyType(_TABLE)
"""By operation: what it does, given its result and its operands. Every operation of a program stands here."""
