"""Steps of one mode on an engine: observe, then consolidate, or both as one program."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, TypeAlias

from .averaging import Averaging
from .backends.base import Engine, Executable
from .compiler.joining import joined
from .compiler.mode_programs import ModePrograms

Arrays: TypeAlias = Mapping[str, Any]


class Stepper:
    """What a step of one mode runs.

    `average`, where workers share a model, turns the drives of one of them into the mean over all; then the two
    programs stay apart, since it works between them. With `in_place`, states are overwritten, each as soon as its drive
    is known: the two programs become one, in which drives do not wait for each other. So they do for engines that fuse.
    """

    def __init__(
        self,
        engine: Engine[Any],
        programs: ModePrograms,
        states: frozenset[str],
        *,
        in_place: bool,
        average: Averaging | None,
    ) -> None:
        self._engine = engine
        self._programs = programs
        self._states = states
        self._donated = states if in_place else frozenset[str]()
        self._average = average

    def __call__(self, state: Arrays, inputs: Arrays, hyper: Arrays) -> tuple[dict[str, Any], dict[str, Any]]:
        """(the new state, what else was observed)."""
        if self._average is None and (self._engine.joins or self._donated):
            results = self._whole({**state, **inputs, **hyper})
        else:
            if self._average is not None:
                self._average.begin(inputs)
            results = self._observe({**state, **inputs})
            if self._average is not None:
                results = self._average(results, inputs)
            results = {**results, **self._consolidate({**state, **results, **hyper})}
        new = {name: value for name, value in results.items() if name in self._states}
        seen = {name: value for name, value in results.items() if not name.startswith("drive/") and name not in new}
        return {**state, **new}, seen

    @cached_property
    def _observe(self) -> Executable[Any]:
        return self._engine.compile(
            self._programs.observe, announce=None if self._average is None else self._average.announce
        )

    @cached_property
    def _consolidate(self) -> Executable[Any]:
        return self._engine.compile(self._programs.consolidate, self._donated)

    @cached_property
    def _whole(self) -> Executable[Any]:
        program = joined(self._programs, self._programs.observe.name)
        return self._engine.compile(program, self._donated)
