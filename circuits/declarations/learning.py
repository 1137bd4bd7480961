"""Learning systems: the rules, ties and modes that make a bare forward topology a learning circuit. Data, not code."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from ..model import Declaration, Number, Text
from .claims import Claims
from .mode import Mode
from .modulator import Modulator
from .rule import Rule
from .tie import Magnitude


class Feedback(Declaration):
    """Where the feedback stream runs and whose weights it has.

    `reciprocal`: a feedback population for every forward one, the reverse of every projection. `direct`: the outputs'
    errors, or their targets, project to every population that learns (Nokland 2016; Frenkel, Lefebvre and Bol 2021).
    `none`: no feedback stream.
    """

    pathway: Literal["reciprocal", "direct", "none"] = "reciprocal"
    sends: Literal["error", "target"] = Field(
        default="error", description="On the direct pathway: what projects to the hidden populations."
    )
    weights: Literal["independent", "transpose_of", "sign_of"] = "independent"
    magnitude: Magnitude = Field(default="fan_out", description="Of sign_of: how large the feedback synapses are.")
    onto_maps: Literal["shared", "full"] = Field(
        default="shared",
        description="Direct feedback onto [C, H, W]: one weight a channel, or a weight for every neuron.",
    )

    @model_validator(mode="after")
    def _applies(self) -> "Feedback":
        if "sends" in self.model_fields_set and self.pathway != "direct":
            raise ValueError(f"'sends' belongs to pathway: direct (got {self.pathway})")
        if "magnitude" in self.model_fields_set and self.weights != "sign_of":
            raise ValueError(f"'magnitude' belongs to weights: sign_of (got {self.weights})")
        return self


class LearningMode(Mode):
    """A mode together with the rules that learn in it."""

    forward: Rule | None = Field(default=None, description="Rule of plastic forward projections.")
    feedback: Rule | None = Field(default=None, description="Rule of untied feedback projections.")
    gain: Rule | None = Field(default=None, description="Rule of the gains of normalizing populations.")
    bias: Rule | None = Field(default=None, description="Rule of biases.")

    def mode(self) -> Mode:
        """The mode alone."""
        return Mode(**{name: getattr(self, name) for name in Mode.model_fields})


class LearningSystem(Declaration):
    """What a circuit learns by. `engaged` is the mode in which data flow."""

    format: Literal[1] = 1
    name: Text = "inline"
    description: Text = ""
    cite: Text = ""
    feedback: Feedback = Feedback()
    modes: dict[str, LearningMode] = Field(default_factory=dict)
    modulators: dict[str, Modulator] = Field(
        default_factory=dict, description="Third factors of its rules. A circuit's own of the same name comes first."
    )
    parameters: dict[str, Number] = Field(default_factory=dict)
    claims: Claims = Field(default=Claims(), description="Properties that its rules have; see counterstream test-rule.")


def _form(value: object) -> str | None:
    return "#name" if isinstance(value, str) else "#inline" if isinstance(value, Mapping | LearningSystem) else None


Learning = Annotated[
    Annotated[str, Tag("#name")] | Annotated[LearningSystem, Tag("#inline")],
    Discriminator(
        _form, custom_error_type="form", custom_error_message="must be a learning system: a name, a path, or inline"
    ),
]
"""A learning system as it stands in a file."""
