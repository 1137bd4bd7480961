"""Learning systems: the rules, ties and modes that turn a bare forward topology into a learning circuit. Data, not code."""

from typing import Literal

from pydantic import Field

from ..model import Declaration
from .mode import Mode
from .rule import Rule


class Feedback(Declaration):
    """Where the feedback stream runs and whose weights it has.

    `reciprocal`: a feedback population for every forward one, the reverse of every projection. `direct`: the outputs'
    errors project to every population that learns (Nokland 2016). `none`: no feedback stream.
    """

    pathway: Literal["reciprocal", "direct", "none"] = "reciprocal"
    weights: Literal["independent", "transpose_of", "sign_of"] = "independent"
    onto_maps: Literal["shared", "full"] = Field(
        default="shared",
        description="Direct feedback onto [C, H, W]: one weight a channel, or a weight for every neuron.",
    )


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
    name: str = "inline"
    description: str = ""
    cite: str = ""
    feedback: Feedback = Feedback()
    modes: dict[str, LearningMode] = Field(default_factory=dict)
    parameters: dict[str, float] = Field(default_factory=dict)
