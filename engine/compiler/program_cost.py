"""What a program costs, value by value, where in the circuit it costs that, and how much memory it needs at a time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from math import prod

from .cost import COUNTING, Cost, Sized, Work, sum_of
from .operations import OPERATIONS
from .program import Program, Value

CLASS_BYTES = 8
"""Of a class given as a whole number."""


@dataclass(frozen=True, slots=True)
class OperationCost:
    """One value of a program: where it belongs in the circuit, and what making it costs."""

    value: Value
    place: str
    samples: int
    cost: Cost


@dataclass(frozen=True)
class ProgramCost:
    """The costs of a program, value by value, for given numbers of samples."""

    program: Program
    operations: tuple[OperationCost, ...]
    memory: int
    """Bytes that the values it makes occupy at most at one time, each from its making to its last reader, results to
    the end. Inputs (state, data) are the caller's; what an engine keeps besides, such as the switches of a max pool, is
    its own."""
    returned: int
    """Bytes of the results."""

    @cached_property
    def total(self) -> Cost:
        return sum_of(operation.cost for operation in self.operations)


def by_operation(operations: Iterable[OperationCost]) -> dict[str, tuple[int, Cost]]:
    """For each kind of operation, how many there are and what they cost together, in order of appearance."""
    found: dict[str, list[Cost]] = {}
    for operation in operations:
        found.setdefault(operation.value.operation, []).append(operation.cost)
    return {kind: (len(costs), sum_of(costs)) for kind, costs in found.items()}


def program_cost(program: Program, *, batch: int, itemsize: int, maps: Mapping[str, int] | None = None) -> ProgramCost:
    """What one run of a program costs.

    `batch` is the number of samples of its inputs, `maps` that of those inputs that have another, by name (noise).
    `itemsize`: bytes of one number.
    """
    sized = _sized(program, batch, maps or {})
    works = [COUNTING[v.operation](s, [sized[i] for i in v.inputs]) for v, s in zip(program, sized, strict=True)]
    operations = tuple(
        OperationCost(one.value, place, one.samples, _cost(one, [sized[i] for i in one.value.inputs], work, itemsize))
        for one, place, work in zip(sized, places(program), works, strict=True)
    )
    returned = sum(_bytes(sized[index], itemsize) for index in set(program.results.values()))
    return ProgramCost(program, operations, _memory(program, sized, works, itemsize), returned)


def _sized(program: Program, batch: int, maps: Mapping[str, int]) -> list[Sized]:
    """Values with their numbers of samples: an input's is given, an operation has that of its first batched operand."""
    sized: list[Sized] = []
    for value in program:
        if not value.batched:
            samples = 1
        elif value.operation == "input":
            samples = maps.get(value["name"], batch)
        else:
            samples = next(sized[index].samples for index in value.inputs if sized[index].value.batched)
        sized.append(Sized(value, samples))
    return sized


def _bytes(one: Sized, itemsize: int) -> int:
    is_class = one.value.operation == "input" and one.value["dtype"] == "int"
    return one.elements * (CLASS_BYTES if is_class else itemsize)


def _cost(result: Sized, operands: Sequence[Sized], work: Work, itemsize: int) -> Cost:
    if work.view:
        return Cost()
    read = sum(_bytes(operand, itemsize) for number, operand in enumerate(operands) if number not in work.unread)
    # Further results of an operation hold one number a channel.
    further = (OPERATIONS[result.value.operation].results - 1) * prod(result.value.shape[:1])
    return Cost(work.multiply_adds, work.elementwise, read, _bytes(result, itemsize) + further * itemsize)


# ---- memory


def _memory(program: Program, sized: Sequence[Sized], works: Sequence[Work], itemsize: int) -> int:
    """The high-water mark: values live from their making to their last reader, results to the end.

    Views live in the memory of what they are a view of, and keep it. The parts of an operation with several results
    are made with it, and each lives on its own.
    """
    home, born = list(range(len(program))), list(range(len(program)))
    last = born.copy()
    for index, (value, work) in enumerate(zip(program, works, strict=True)):
        if value.operation == "part":
            born[index] = value.inputs[0]
        elif work.view and value.inputs:
            home[index] = home[value.inputs[0]]
        for number, operand in enumerate(value.inputs):
            if number not in work.unread:
                last[home[operand]] = index
    last_of_all = len(program)
    for index in program.results.values():
        last[home[index]] = last_of_all
    changes = [0] * (last_of_all + 2)
    for index, (value, one) in enumerate(zip(program, sized, strict=True)):
        is_whole = OPERATIONS[value.operation].results > 1
        if home[index] == index and value.operation != "input" and not is_whole:
            changes[born[index]] += _bytes(one, itemsize)
            changes[last[index] + 1] -= _bytes(one, itemsize)
    return max(accumulate(changes))


# ---- places


def places(program: Program) -> tuple[str, ...]:
    """For each value, the projection or population of the circuit to which it belongs, as far as that can be told.

    Values are not labelled: equal ones are shared. But a value that reads a state belongs where the state is; otherwise
    a batched value belongs where it comes from, and another to the state that it will move.
    """
    found: list[str] = []
    for value in program:
        if value.operation == "input":
            found.append(subject(value["name"]))
        else:
            found.append(_origin(program, value, found))
    ends = {index: subject(name) for name, index in reversed(list(program.results.items()))}
    for index in range(len(program) - 1, -1, -1):
        value = program.values[index]
        if value.batched or value.operation == "input":
            continue
        found[index] = ends.get(index, found[index])
        for operand in value.inputs:
            if not program.values[operand].batched and program.values[operand].operation != "input":
                ends.setdefault(operand, found[index])
    return tuple(found)


def _origin(program: Program, value: Value, places: Sequence[str]) -> str:
    """The place of the operand that says most: a state, what is made of states, a gate's rate, or the first."""
    operands = [(program.values[index], index) for index in value.inputs]
    states = [index for one, index in operands if one.operation == "input" and one["role"] == "state"]
    unbatched = [index for one, index in operands if not one.batched]
    usual = value.inputs[-1] if value.operation == "gate" else value.inputs[0]
    return places[next(iter((*states, *unbatched, usual)))]


def subject(name: str) -> str:
    """Of a state, an input or a result, KIND/SUBJECT, with or without more before it: the subject."""
    return name.rpartition("/")[2]
