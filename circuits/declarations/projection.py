"""Projections: synapses from one population to another, and the one-to-one cross-projections between partners."""

from typing import Annotated, Literal

from pydantic import Field

from ..model import Declaration, Number, Truth
from ..tagged import Choice
from ..wiring import Conv, Dense, Flatten, OneToOne, Pool
from .initial import Initial, Kaiming
from .learning import Learning
from .rule import Rule
from .tie import Tie, Weights

AnyWiring = Annotated[Dense | Conv | Pool | OneToOne | Flatten, Choice()]


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
    bounds: tuple[Number | None, Number | None] | None = Field(
        default=None,
        description="[least, greatest], null for none: weights start in between and stay there. An untied reverse has "
        "the same bounds.",
    )
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

    Roles: `teach` feeds the receiver's apical compartment with the rate or the soma of its partner; `gate` hands the
    feedback neuron its partner's local derivative; `drive` clamps the feedback neuron's rate to its partner's (mirror
    modes).
    """

    source: str = Field(alias="from")
    target: str = Field(alias="to")
    carries: Literal["rate", "soma"] = Field(default="rate", description="What it teaches.")
    role: Literal["teach", "gate", "drive"] = "teach"
    modes: tuple[str, ...] | None = Field(default=None, description="Default: all modes with data (drive: all others).")
