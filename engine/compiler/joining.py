"""A mode's two programs as one, for engines that fuse, where nothing has to happen between the two."""

from collections.abc import Mapping

from .mode_programs import ModePrograms
from .program import Program, Value


def joined(programs: ModePrograms, name: str) -> Program:
    """The program that observes and then consolidates. Drives are values inside of it, and results no more.

    Equal values stand once, and `consolidate` reads the drives of `observe`; so its results are the new states, the
    running statistics, losses, and what is watched.
    """
    writer = _Joiner()
    observed = writer.append(programs.observe, {})
    drives = {result: ref for result, ref in observed.items() if result.startswith("drive/")}
    consolidated = writer.append(programs.consolidate, drives)
    kept = {result: ref for result, ref in observed.items() if result not in drives}
    return Program(name, tuple(writer.values), {**kept, **consolidated})


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
                moved = Value(
                    value.operation,
                    tuple(places[i] for i in value.inputs),
                    value.attributes,
                    value.shape,
                    value.batched,
                )
                places.append(self._place(moved))
        return {name: places[index] for name, index in program.results.items()}

    def _place(self, value: Value) -> int:
        if value not in self._known:
            self._known[value] = len(self.values)
            self.values.append(value)
        return self._known[value]


