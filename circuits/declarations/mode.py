"""Modes: what flows, who fires, and which rules learn."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from ..model import Declaration, Number, Whole


class Noise(Declaration):
    """Independent noise of mean 0 and variance `scale` squared."""

    noise: Literal["normal", "uniform", "rademacher"] = "normal"
    scale: Number = Field(default=1.0, gt=0)

    @property
    def variance(self) -> float:
        return self.scale**2

    @property
    def kurtosis(self) -> float:
        """E x^4 / (E x^2)^2."""
        return {"normal": 3.0, "uniform": 1.8, "rademacher": 1.0}[self.noise]


class Samples(Declaration):
    """How much noise a projection gets in one step. Exactly one of the three.

    `per_input: k` gives each projection k noise samples for each of a neuron's inputs: maps = ceil(k fan_in / n)
    where one map holds n samples: the positions of a conv wiring, 1 for a dense one. `target_angle` derives k from
    the rule's rate constant `r` by tan(angle) = sqrt(c fan_in / N_eff), N_eff = N (2 - r) / r. `maps` fixes the number
    of noise vectors.
    """

    per_input: Number | None = Field(default=None, gt=0)
    target_angle: Number | None = Field(default=None, gt=0, lt=90, description="Degrees.")
    maps: Whole | None = Field(default=None, ge=1, le=10_000_000)

    @model_validator(mode="after")
    def _one(self) -> "Samples":
        if sum(value is not None for value in (self.per_input, self.target_angle, self.maps)) != 1:
            raise ValueError("must give exactly one of per_input, target_angle, maps")
        return self


class Rotate(Declaration):
    """How many projections one run of a mode serves; the next run serves the next ones."""

    rotate: Whole = Field(ge=1)


def _form(value: object) -> str | None:
    return "#share" if isinstance(value, Mapping | Rotate) else "#word" if value in ("all", "rotate") else None


Layers = Annotated[
    Annotated[Literal["all", "rotate"], Tag("#word")] | Annotated[Rotate, Tag("#share")],
    Discriminator(
        _form,
        custom_error_type="form",
        custom_error_message="must be all, rotate (one projection a run), or {rotate: k} (k projections a run)",
    ),
]
"""Which projections one run of a mode serves: all, or in turn one or k of them, in the order of the circuit."""


class Mode(Declaration):
    """One way of running a circuit.

    Without `one_at_a_time`, data flow: forward populations answer the input, errors come back. What such a mode
    `injects` is noise, drawn for each neuron and sample, that adds to the somas of those forward populations whose
    noise its rules read. With `clamp: partner` no errors come back: each feedback population fires what its partner
    answers (the `soma`, or the `rate`; outputs whose loss looks at logits answer at their soma), so that its own soma
    is what the feedback synapses make of the activity above. Running statistics then stand still.

    With `one_at_a_time: projection`, every plastic projection is run by itself: its source `fires` fresh noise, its
    target answers that alone (`soma`: linearly; `rate`: through its transfer function, bias and normalization left
    out), and both partners are clamped. One run serves all of them, or with `layers: rotate` the next one in turn.
    """

    one_at_a_time: Literal["projection"] | None = None
    fires: Noise | None = None
    injects: Noise | None = Field(default=None, description="Noise on the somas, in a mode in which data flow.")
    answers: Literal["soma", "rate"] = "soma"
    clamp: Literal["partner"] | None = None
    teaches: Literal["rate", "soma"] = Field(
        default="rate", description="What forward neurons tell their feedback partners, in a mode in which data flow."
    )
    samples: Samples | None = None
    layers: Layers = Field(default="all", description="Which projections one run serves.")
    every: Whole = Field(default=1, ge=1, description="Run once every so many engaged steps.")

    @model_validator(mode="after")
    def _whole(self) -> "Mode":
        if self.one_at_a_time is None and (self.fires or self.samples or self.layers != "all"):
            raise ValueError("fires, samples and layers belong to a mode with one_at_a_time: projection")
        if self.one_at_a_time is not None and self.injects is not None:
            raise ValueError("'injects' belongs to a mode in which data flow; here the sources fire: say 'fires'")
        if self.one_at_a_time is not None and self.teaches != "rate":
            raise ValueError("'teaches' belongs to a mode in which data flow; here 'answers' says what neurons tell")
        if self.one_at_a_time is not None and (self.fires is None or self.samples is None):
            raise ValueError("a mode that runs one projection at a time needs 'fires' and 'samples'")
        return self

    @property
    def isolates(self) -> bool:
        """True where projections run one at a time, on noise, without data."""
        return self.one_at_a_time is not None

    @property
    def errs(self) -> bool:
        """True where data flow and errors come back."""
        return not self.isolates and self.clamp is None

    @property
    def noise(self) -> Noise | None:
        """The noise that is there in this mode, fired or injected."""
        return self.fires or self.injects

    @property
    def share(self) -> int | None:
        """How many projections one run serves; None for all."""
        if isinstance(self.layers, Rotate):
            return self.layers.rotate
        return 1 if self.layers == "rotate" else None
