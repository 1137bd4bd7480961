"""When something is recorded: every so many epochs or steps, at log-spaced steps, at the end, or any of several."""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, model_serializer, model_validator

from ...circuits.model import Declaration

END = "end"


class Instants(Declaration):
    """Some instants of a run. Written as one of {epochs: 1}, {steps: 50}, {log: 20}, end."""

    epochs: int | None = Field(
        default=None, ge=1, description="Every so many epochs, and the first state (not of metrics)."
    )
    steps: int | None = Field(
        default=None, ge=1, description="Every so many steps, and the first state (not of metrics)."
    )
    log: int | None = Field(
        default=None, ge=2, description="So many states, evenly spaced in log(1 + step), first and last included."
    )
    end: Literal[True] | None = Field(default=None, description="The last state alone. Written as `end`.")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        if isinstance(value, str):
            if value != END:
                raise ValueError(f"must be one of {{epochs: 1}}, {{steps: 50}}, {{log: 20}}, end (got {value!r})")
            return {END: True}
        return value

    @model_validator(mode="after")
    def _one(self) -> "Instants":
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            named = " and ".join(given) or "nothing"
            raise ValueError(f"must be one of {{epochs: 1}}, {{steps: 50}}, {{log: 20}}, end (got {named})")
        return self

    @model_serializer(mode="plain")
    def _written(self) -> str | dict[str, int]:
        if self.end:
            return END
        return {name: value for name, value in self if value is not None}

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: GetJsonSchemaHandler) -> Any:
        return {"anyOf": [{"const": END}, handler(core_schema)]}

    def due(self, step: int, steps: int, steps_per_epoch: int) -> bool:
        """Whether a record is due in the state after `step` of `steps` steps."""
        if self.log is not None:
            return step in log_spaced(self.log, steps)
        every = self.steps or (self.epochs or 0) * steps_per_epoch
        return step == steps or (every > 0 and step % every == 0)


def _listed(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


When = Annotated[tuple[Instants, ...], BeforeValidator(_listed), Field(min_length=1)]
EVERY_EPOCH: tuple[Instants, ...] = (Instants(epochs=1),)


def due(when: Sequence[Instants], step: int, steps: int, steps_per_epoch: int) -> bool:
    """Whether any of several says so; the last state is always due."""
    return step == steps or any(instants.due(step, steps, steps_per_epoch) for instants in when)


@lru_cache(maxsize=64)
def log_spaced(count: int, steps: int) -> frozenset[int]:
    """`count` steps from 0 to `steps`, evenly spaced in log(1 + step): as even as whole numbers that differ can be.

    All steps where there are no more than that.
    """
    if count > steps:
        return frozenset(range(steps + 1))
    found = [0]
    for number in range(1, count):
        ideal = round(math.expm1(math.log1p(steps) * number / (count - 1)))
        found.append(max(ideal, found[-1] + 1))
    return frozenset(found)
