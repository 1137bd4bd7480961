"""Averaging over ranks while the rest of the step is computed: drives travel in buckets as soon as they are known."""

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

from .averaging import Arrays, Averaging, flat, shaped
from .compiler.program import Program
from .ranks import Ranks


class Overlapping(Averaging):
    """As `Averaging`, for engines that announce results (`Engine.announces`): the same means in several collectives.

    A step begins with `begin`, the engine calls `announce` for each result, and calling the object with the results
    ends it. All ranks run one program, so all send the same buckets in the same order.
    """

    def __init__(self, program: Program, ranks: Ranks) -> None:
        super().__init__(program, ranks)
        sent = zip(self._shared.values(), self._shapes, strict=True)
        self._values = {names[0]: (names, shape) for names, shape in sent}
        """By the first name of each value that is sent: all its names, and its shape."""
        self._averaged = frozenset(name for names, _ in self._values.values() for name in names)
        self._samples = 0
        self._waiting: dict[str, Any] = {}
        self._sent: list[tuple[tuple[str, ...], Any, Callable[[], None]]] = []
        self.announce = self._hear

    def begin(self, inputs: Arrays) -> None:
        self._samples = 0 if self._batched is None else len(inputs[self._batched])
        self._waiting, self._sent = {}, []

    def _hear(self, name: str, value: Any) -> Any:
        """A result is known. Gives back what is to stand in its place till the end: nothing where it will be averaged,
        so that it takes no memory once it lies in its bucket."""
        if self._batched is None or name not in self._averaged:
            return value
        if name in self._values:
            self._waiting[name] = value
            if sum(one.nbytes for one in self._waiting.values()) >= self._ranks.bucket:
                self._send()
        return None

    def _send(self) -> None:
        import torch

        parts = [flat(value) for value in self._waiting.values()]
        buffer = torch.cat([*parts, torch.ones_like(parts[0][:1])])
        buffer *= self._samples
        self._sent.append((tuple(self._waiting), buffer, self._ranks.begin_adding_up(buffer)))
        self._waiting = {}

    def __call__(self, results: Arrays, inputs: Arrays) -> dict[str, Any]:
        if self._waiting:
            self._send()
        found = dict(results)
        for first, buffer, arrived in self._sent:
            arrived()
            found |= self._means(first, buffer)
        self._sent = []
        return found

    def _means(self, first: tuple[str, ...], buffer: Any) -> Mapping[str, Any]:
        """By name, what a bucket brought; a value goes under all the names it has."""
        means = buffer[:-1].div_(buffer[-1])
        found: dict[str, Any] = {}
        start = 0
        for name in first:
            names, shape = self._values[name]
            end = start + prod(shape)
            found |= dict.fromkeys(names, shaped(means[start:end], shape))
            start = end
        return found
