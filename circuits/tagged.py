"""Choices written by name: `conv: {kernel: 3}`, or the bare word `flatten` where nothing need be said.

One mechanism for wirings, initial weights and normalization: reading, writing and JSON Schema agree, and an error's
path is the path in the file.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, get_args

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema


class Choice:
    """Annotates a union of declarations, each with a class variable `kind`: `Annotated[Conv | Dense, Choice()]`."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        classes = {choice.kind: choice for choice in get_args(source)}
        return core_schema.tagged_union_schema(
            {kind: _as_written(kind, handler.generate_schema(choice)) for kind, choice in classes.items()},
            discriminator=_kind_of,
            custom_error_type="choice",
            custom_error_message=f"must name exactly one of {', '.join(classes)}",
            metadata={"kinds": tuple(classes)},
        )

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        options = [_json_as_written(kind, choice, handler) for kind, choice in schema["choices"].items()]
        return {"anyOf": [option for group in options for option in group]}


def _as_written(kind: str, schema: CoreSchema) -> CoreSchema:
    """A choice as it stands in a file: under its kind, or as the bare kind."""
    return core_schema.no_info_before_validator_function(
        partial(_unwrap, kind),
        schema,
        serialization=core_schema.plain_serializer_function_ser_schema(partial(_wrap, kind)),
    )


def _json_as_written(kind: str, choice: Any, handler: GetJsonSchemaHandler) -> list[dict[str, Any]]:
    inner = handler(choice["schema"])
    keyed = {"type": "object", "properties": {kind: inner}, "required": [kind], "additionalProperties": False}
    bare_will_do = not handler.resolve_ref_schema(inner).get("required")
    return [{"const": kind}, keyed] if bare_will_do else [keyed]


def _kind_of(value: Any) -> str | None:
    if isinstance(value, BaseModel):
        return getattr(value, "kind", None)
    if isinstance(value, Mapping):
        return str(next(iter(value))) if len(value) == 1 else None
    return str(value)


def _unwrap(kind: str, value: Any) -> Any:
    if value == kind:
        return {}
    if isinstance(value, Mapping) and kind in value:
        return {} if value[kind] is None else value[kind]
    return value


def _wrap(kind: str, value: BaseModel) -> Any:
    inner = value.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return {kind: inner} if inner else kind
