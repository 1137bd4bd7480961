"""Projections: synapses from one population to another, and the one-to-one cross-projections between partners."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from ..model import Declaration, Number, Truth
from ..tagged import Choice
from ..wiring import Conv, Dense, Flatten, OneToOne, Pool
from .initial import Initial, Kaiming
from .learning import Learning
from .rule import Rule

AnyWiring = Annotated[Dense | Conv | Pool | OneToOne | Flatten, Choice()]


class Tie(Declaration):
    """Weights that are not its own: the transpose or the scaled signs of those it reverses, or another's altogether."""

    transpose_of: str | None = None
    sign_of: str | None = None
    same_as: str | None = None

    @model_validator(mode="after")
    def _one(self) -> "Tie":
        if sum(name is not None for name in (self.transpose_of, self.sign_of, self.same_as)) != 1:
            raise ValueError("a tie must name exactly one of transpose_of, sign_of, same_as")
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


class Projection(Declaration):
    """Synapses from `from` to `to`. A projection without a name is called `from->to`.

    The reverse of a projection (`reverse_of`) joins the partners the other way round with the same geometry; its
    weights are stored in the layout of the projection it reverses.
    """

    name: str | None = None
    source: str = Field(alias="from")
    target: str = Field(alias="to")
    wiring: AnyWiring | None = Field(
        default=None, description="Left out only for a reverse, which takes its original's."
    )
    initial: Initial = Kaiming()
    reverse_of: str | None = None
    weights: Weights = "independent"
    plastic: Truth = Field(default=True, description="False: the weights stay as they were drawn.")
    learning: Learning | None = Field(
        default=None, description="Another learning system for this projection and its reverse."
    )
    parameters: dict[str, Number] = Field(
        default_factory=dict, description="Parameters of the rules, for this projection."
    )
    rules: dict[str, Rule] = Field(default_factory=dict, description="By mode; explicit form and overrides.")
    modes: tuple[str, ...] | None = Field(
        default=None, description="Modes in which it conducts; default: all with data."
    )

    @property
    def label(self) -> str:
        """The name, declared or derived."""
        return self.name or f"{self.source}->{self.target}"

    @property
    def tie(self) -> Tie | None:
        return self.weights if isinstance(self.weights, Tie) else None


class CrossProjection(Declaration):
    """One-to-one axons between a population and its partner.

    Roles: `teach` feeds the receiver's apical compartment; `gate` hands the feedback neuron its partner's local
    derivative; `drive` clamps the feedback neuron's rate to its partner's (mirror modes).
    """

    source: str = Field(alias="from")
    target: str = Field(alias="to")
    carries: Literal["rate"] = "rate"
    role: Literal["teach", "gate", "drive"] = "teach"
    modes: tuple[str, ...] | None = Field(default=None, description="Default: all modes with data (drive: all others).")
