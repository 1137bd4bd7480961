"""A plasticity rule as declared: one scalar equation for the drive dw, and how it is taken over positions and time."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import (
    Field,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)
from pydantic_core import CoreSchema

from ..model import Declaration


class Rule(Declaration):
    """The drive of a synapse. Written as the bare equation, or as {dw: equation, positions: ..., consolidation: ...}.

    `dw` is averaged over the batch. Over the positions that share a weight it is summed (as a gradient is), or, with
    `positions: mean`, averaged over those that see the tap (as an estimate of a correlation must be). Consolidation
    `common` is the optimizer that all synapses share; `addition` is w + dw and nothing else. Left out, it is `common`
    in modes in which data flow and `addition` in modes that run one projection at a time.
    """

    dw: str = Field(description="The equation, in pre.*, post.*, w and named parameters.")
    positions: Literal["sum", "mean"] = "sum"
    consolidation: Literal["common", "addition"] | None = None

    @model_validator(mode="wrap")
    @classmethod
    def _bare(cls, value: Any, handler: ModelWrapValidatorHandler["Rule"]) -> "Rule":
        if not isinstance(value, str | Mapping | Rule):
            raise ValueError(f"must be a rule: an equation, or {{dw: equation, ...}} (got {value!r})")
        return handler({"dw": value} if isinstance(value, str) else value)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [{"type": "string"}, handler(schema)]}

    @model_serializer(mode="wrap")
    def _short(self, handler: SerializerFunctionWrapHandler) -> Any:
        written = handler(self)
        return self.dw if self.positions == "sum" and self.consolidation is None else written
