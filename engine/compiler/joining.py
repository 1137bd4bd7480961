"""A mode's two programs as one, for where nothing has to happen between observing and consolidating."""

from collections.abc import Mapping, Sequence

from .mode_programs import ModePrograms
from .program import Program, Value


def joined(programs: ModePrograms, name: str) -> Program:
    """The program that observes and then consolidates. Drives are values inside of it, and results no more.

    Equal values stand once, and `consolidate` reads the drives of `observe`; so its results are the new states, the
    running statistics, losses, and what is watched. Each new state follows as soon as its drive is known and what it
    replaces has been read for the last time: no two drives need to be there at once, and a state may be overwritten
    where its new value stands.
    """
    writer = _Joiner()
    observed = writer.append(programs.observe, {})
    first = len(writer.values)
    drives = {result: ref for result, ref in observed.items() if result.startswith("drive/")}
    consolidated = writer.append(programs.consolidate, drives)
    kept = {result: ref for result, ref in observed.items() if result not in drives}
    order = _soonest(writer.values, first)
    place = {index: position for position, index in enumerate(order)}
    values = tuple(_moved(writer.values[index], place) for index in order)
    return Program(name, values, {result: place[ref] for result, ref in {**kept, **consolidated}.items()})


def _soonest(values: Sequence[Value], first: int) -> list[int]:
    """Positions in a new order: those from `first` on move up to where their operands are made and have no other reader
    before `first` any more. The others keep their order."""
    due, last_read = list(range(first)), list(range(len(values)))
    for index in range(first):
        for operand in values[index].inputs:
            last_read[operand] = index
    for index in range(first, len(values)):
        operands = values[index].inputs
        due.append(max((max(due[i], last_read[i] if i < first else 0) for i in operands), default=0))
    return sorted(range(len(values)), key=lambda index: (due[index], index))


def _moved(value: Value, place: Mapping[int, int] | Sequence[int]) -> Value:
    """The value with its operands at other positions."""
    inputs = tuple(place[index] for index in value.inputs)
    return Value(value.operation, inputs, value.attributes, value.shape, value.batched)


class _Joiner:
    """Values of several programs in one list, each once."""

    def __init__(self) -> None:
        self.values: list[Value] = []
        self._known: dict[Value, int] = {}

    def append(self, program: Program, supplied: Mapping[str, int]) -> dict[str, int]:
        """The program's results, as positions in the list; inputs in `supplied` are values that are there already."""
        places: list[int] = []
        for value in program:
            if value.operation == "input" and value["name"] in supplied:
                places.append(supplied[value["name"]])
            else:
                places.append(self._place(_moved(value, places)))
        return {name: places[index] for name, index in program.results.items()}

    def _place(self, value: Value) -> int:
        if value not in self._known:
            self._known[value] = len(self.values)
            self.values.append(value)
        return self._known[value]
