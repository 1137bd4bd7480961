"""Whose weights synapses have: their own, or those of others, as a whole or by their signs."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from ..model import Declaration

Magnitude = Literal["fan_out", "initial_rms", "fixed", "redrawn"]
"""How large synapses are that have the signs of others; k k C_out counts the outputs of one of those others' inputs.

`fan_out`: sqrt(2 / (k k C_out)), all alike (Xiao et al. 2019). `initial_rms`: the root mean square of what `initial`
draws, all alike. `fixed`: |M|, M drawn once from `initial`. `redrawn`: |M|, M drawn from `initial` at every step.
"""


class Tie(Declaration):
    """Weights that are not its own: the transpose or the signs of those it reverses, or another's altogether.

    Signs come with a magnitude of the reverse's own.
    """

    transpose_of: str | None = None
    sign_of: str | None = None
    same_as: str | None = None
    magnitude: Magnitude = Field(default="fan_out", description="Of sign_of: how large the synapses are.")

    @model_validator(mode="after")
    def _one(self) -> "Tie":
        if sum(name is not None for name in (self.transpose_of, self.sign_of, self.same_as)) != 1:
            raise ValueError("a tie must name exactly one of transpose_of, sign_of, same_as")
        if "magnitude" in self.model_fields_set and self.sign_of is None:
            raise ValueError("'magnitude' belongs to sign_of: other ties take whole weights")
        return self

    @property
    def kind(self) -> Literal["transpose_of", "sign_of", "same_as"]:
        return "transpose_of" if self.transpose_of else "sign_of" if self.sign_of else "same_as"

    @property
    def owner(self) -> str:
        """The projection whose weights these are."""
        return self.transpose_of or self.sign_of or self.same_as or ""


def _form(value: object) -> str | None:
    return "#tie" if isinstance(value, Mapping | Tie) else "#word" if value == "independent" else None


Weights = Annotated[
    Annotated[Literal["independent"], Tag("#word")] | Annotated[Tie, Tag("#tie")],
    Discriminator(
        _form,
        custom_error_type="form",
        custom_error_message="must be independent, or a tie: transpose_of, sign_of or same_as with a projection",
    ),
]
