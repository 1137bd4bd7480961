"""The order of a program's values: what leaves the batch leaves early, so that activities need not be kept for it."""

from collections.abc import Iterable, Iterator, Sequence

from .program import Value


def in_order(values: Sequence[Value], needed: Iterable[int]) -> list[int]:
    """The positions of the needed values (closed under operands), operands first.

    Inputs come first, then everything as it was made, but a correlation or a mean moves up. Rules are lowered after
    both streams, yet a correlation is due once nothing else in the streams waits for one of its operands. The way back
    through the same synapses comes first, and what it reads, so that an engine may compute the two in one call.
    """
    return _Ordering(values, sorted(needed)).order()


class _Ordering:
    def __init__(self, values: Sequence[Value], kept: list[int]) -> None:
        self.values = values
        self.kept = kept
        self.readers: dict[int, list[int]] = {index: [] for index in kept}
        for index in kept:
            for operand in set(values[index].inputs):
                self.readers[operand].append(index)
        self.awaited = {index: sum(values[reader].batched for reader in self.readers[index]) for index in kept}
        """How many batched readers of a value have no place yet."""
        self.placed = dict.fromkeys(index for index in kept if values[index].operation == "input")
        self.leaving: list[int] = []
        """Values without a batch axis whose operands have their places; nearly always very few."""

    def order(self) -> list[int]:
        for index in self.kept:
            if index not in self.placed:
                self._place(index)
                self._place_what_is_due()
        return list(self.placed)

    def _place(self, index: int) -> None:
        self.placed[index] = None
        if self.values[index].batched:
            for operand in set(self.values[index].inputs):
                self.awaited[operand] -= 1
        for reader in self.readers[index]:
            if not self.values[reader].batched and all(i in self.placed for i in self.values[reader].inputs):
                self.leaving.append(reader)

    def _place_what_is_due(self) -> None:
        while due := [index for index in self.leaving if index in self.placed or self._is_due(index)]:
            self.leaving = [index for index in self.leaving if index not in due]
            for index in due:
                if index not in self.placed:
                    self._place(index)

    def _is_due(self, index: int) -> bool:
        batched = [operand for operand in self.values[index].inputs if self.values[operand].batched]
        is_last = not batched or any(self.awaited[operand] == 0 for operand in batched)
        return is_last and all(back in self.placed for back in self._ways_back(index))

    def _ways_back(self, index: int) -> Iterator[int]:
        """Through the synapses that a correlation is of, the ways back of the same upper signal."""
        value = self.values[index]
        if value.operation == "correlate":
            upper, geometry = value.inputs[1], value["geometry"]
            for reader in self.readers[upper]:
                other = self.values[reader]
                if other.operation == "project_back" and other.inputs[0] == upper and other["geometry"] == geometry:
                    yield reader
