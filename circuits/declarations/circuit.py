"""The circuit: everything that a file declares."""

from typing import Any, Literal

from pydantic import Field

from ..model import Declaration, Number, Text
from .learning import Learning
from .mode import Mode
from .modulator import Modulator
from .population import Population
from .projection import CrossProjection, Projection
from .structure import Block, Stage


class Circuit(Declaration):
    """A circuit graph, in the compact form (a forward topology and a learning system) or the explicit one (every
    population,
    projection, cross-projection and rule). Both are this class; `expand` turns the first into the second.
    """

    format: Literal[1] = 1
    name: Text = "circuit"
    description: Text = ""
    options: dict[str, Any] = Field(
        default_factory=dict,
        description="Named values, $name or $(2 * name) elsewhere. Loading puts them there, and none is left.",
    )
    variants: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        description="Named settings of the options: the circuits that this file holds. FILE.yaml:NAME loads one.",
    )
    blocks: dict[str, Block] = Field(default_factory=dict)
    populations: dict[str, Population]
    stages: list[Stage] = Field(default_factory=list)
    projections: list[Projection] = Field(default_factory=list)
    learning: Learning | None = Field(
        default=None, description="A learning system: a stock name, a path, or inline. None in the explicit form."
    )
    cross: list[CrossProjection] = Field(default_factory=list)
    modes: dict[str, Mode] = Field(default_factory=dict)
    modulators: dict[str, Modulator] = Field(default_factory=dict)
    parameters: dict[str, Number] = Field(default_factory=dict, description="Parameters of the rules.")
    system: Text = Field(default="", description="Explicit form: the name of the learning system it came from.")
