"""What an experiment's `checkpoint` says: how often a run is saved whole, and how many of what was saved are kept."""

from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    Field,
    SerializerFunctionWrapHandler,
    WrapSerializer,
    model_serializer,
    model_validator,
)

from ...circuits.model import Declaration

NONE = "none"
_EXAMPLES = "{epochs: 1}, {steps: 500}, {minutes: 10}"


class Every(Declaration):
    """How often. Written as one of {epochs: 1}, {steps: 500}, {minutes: 10}."""

    epochs: int | None = Field(default=None, ge=1)
    steps: int | None = Field(default=None, ge=1)
    minutes: float | None = Field(default=None, gt=0, description="By the clock, of training and evaluating.")

    @model_validator(mode="after")
    def _one(self) -> "Every":
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"must be one of {_EXAMPLES} (got {' and '.join(given) or 'nothing'})")
        return self

    @model_serializer(mode="plain")
    def _written(self) -> dict[str, float]:
        return {name: value for name, value in self if value is not None}

    def due(self, step: int, steps_per_epoch: int) -> bool:
        """Whether the state after `step` steps is one to save, as far as the clock has no say."""
        interval = self.steps or (self.epochs or 0) * steps_per_epoch
        return bool(interval) and step % interval == 0


class Keeping(Declaration):
    """Checkpoints: everything that a run needs to go on, as if nothing had happened. The last state is always saved."""

    every: Every = Every(minutes=10)
    keep: int = Field(default=2, ge=1, description="How many of the latest stay.")
    best: bool = Field(default=True, description="Save and keep the state of the best validation accuracy, too.")


def _nothing(value: Any) -> Any:
    if value is None:
        raise ValueError("must be none, which saves nothing, or say how often to save (got nothing)")
    return None if value == NONE else value


def _written(value: Any, handler: SerializerFunctionWrapHandler) -> Any:
    return NONE if value is None else handler(value)


KeepingOrNone = Annotated[Keeping | None, BeforeValidator(_nothing), WrapSerializer(_written)]
