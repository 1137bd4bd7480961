"""The base of every declaration: frozen, keyword-only, unknown keys are errors."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Strict

from .characters import REORDERING, UNSEEN, named

Whole = Annotated[int, Strict()]
"""A whole number; no text, truth value or fraction stands for one."""
Number = Annotated[float, Strict()]
Truth = Annotated[bool, Strict()]


def _seen(text: str) -> str:
    """Raise ValueError for text that a terminal would obey or show in another order."""
    if found := UNSEEN.search(text) or REORDERING.search(text):
        raise ValueError(f"must hold no characters that control how text is shown (got {named(found[0])})")
    return text


Text = Annotated[str, AfterValidator(_seen)]
"""Text for people: it is printed, drawn and recorded as it is."""


class Declaration(BaseModel):
    """A frozen, hashable-by-value piece of a circuit. Construction validates; nothing ever mutates it."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        allow_inf_nan=False,
        protected_namespaces=(),
    )
