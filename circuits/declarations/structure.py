"""Repetition: blocks with parameters, and stages that repeat them. A ResNet-50 must read in under 80 lines."""

from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from ..model import Declaration, Whole


class Ports(Declaration):
    """Where a block is entered and left. `in` is a name that its projections may use as a source."""

    out: str
    source: str = Field(default="in", alias="in")


class Block(Declaration):
    """Populations and projections under a name, with parameters written `$name`; any YAML value may be one."""

    parameters: dict[str, Any] = Field(default_factory=dict)
    ports: Ports
    populations: dict[str, Any]
    projections: list[Any]


class Stage(Declaration):
    """A block, repeated: instances are called `STAGE.block1`, `STAGE.block2`, ...; the stage's own name means its
    last output.

    `first` overrides parameters, or the block itself, for the first instance (where the stride or the width changes).
    """

    name: str
    source: str = Field(alias="from")
    block: str
    repeat: Annotated[Whole, WithJsonSchema({"type": ["integer", "string"]})] = 1
    """In the schema, which is that of files, a text too: `$depth`. Loading leaves none."""
    parameters: dict[str, Any] = Field(default_factory=dict, alias="with")
    first: dict[str, Any] = Field(default_factory=dict)
