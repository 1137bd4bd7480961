"""The base of every declaration: frozen, keyword-only, unknown keys are errors."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Strict

Whole = Annotated[int, Strict()]
"""A whole number; no text, truth value or fraction stands for one."""
Number = Annotated[float, Strict()]
Truth = Annotated[bool, Strict()]


class Declaration(BaseModel):
    """A frozen, hashable-by-value piece of a circuit. Construction validates; nothing ever mutates it."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        allow_inf_nan=False,
        protected_namespaces=(),
    )
