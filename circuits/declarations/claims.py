"""Claims: what the author of a learning system says of its rules, in words that tests can hold them to.

The table of properties: one class a property, its name that of the field in `Claims`. What each of them means for
numbers, and how it is tested, is in `counterstream.testing.properties`, one file a property.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from ..model import Declaration, Number, Truth, Whole


class Claim(Declaration):
    """What every claim may say."""

    parameters: dict[str, Number] = Field(
        default_factory=dict, description="Parameters of the rules to test with, in place of the system's own."
    )


class ClaimOfRules(Claim):
    """A claim about synapses by themselves: of every rule of a projection, or of those that are named."""

    rules: list[str] | None = Field(default=None, description="Names such as engaged.forward; by default all rules.")
    tolerance: Number = Field(
        default=1e-9, gt=0, description="Of the largest number compared, or of the rule's largest coefficient up to 1."
    )


class Locality(ClaimOfRules):
    """dw of a synapse is a function of its own pre, post and w alone."""


class BatchPermutation(ClaimOfRules):
    """dw does not depend on the order of the samples."""


class BatchSplitting(ClaimOfRules):
    """dw of a batch is the mean of the dw of its parts, by their sizes."""


class FanInAdditivity(ClaimOfRules):
    """What two inputs to the post neuron bring about together is the sum of what each brings about alone."""


class RateLinearity(ClaimOfRules):
    """dw grows in proportion to the rate of the pre neuron."""


class SignEquivariance(ClaimOfRules):
    """A neuron whose activity and weights all change their signs learns the same with the opposite sign."""

    of: Literal["both", "pre", "post"] = Field(default="both", description="Of which of its neurons.")


class Boundedness(ClaimOfRules):
    """Weights stay bounded, however long they are exposed to the same activity."""

    bound: Number = Field(default=20.0, gt=0, description="That no weight may exceed.")
    steps: Whole = Field(default=500, ge=1, le=100_000)
    rate: Number = Field(
        default=0.1, gt=0, description="Over the rule's largest coefficient; plain addition: 1 at least."
    )


class FixedPoint(ClaimOfRules):
    """Learning comes to rest at a weight that an expression gives, and returns to it from nearby."""

    w: str | None = Field(default=None, description="The weight, as the batch mean of an expression in pre and post.")
    attracting: Truth = Field(default=True, description="Whether dw points back to it from any other weight.")


class SameOnEveryEngine(ClaimOfRules):
    """Every engine computes the same dw as the reference."""

    engines: list[str] | None = Field(
        default=None, description="By default all that are installed, but for those that take long to compile."
    )


class NoTransport(Claim):
    """No projection's weights follow those of another."""


class DecayOfDifference(Claim):
    """W - B shrinks by the factor (1 - rate * decay) in a step, whatever the data."""

    rate: Number = Field(default=0.1, gt=0)
    tolerance: Number = Field(default=1e-9, gt=0, description="Of the larger of 1 and the largest number compared.")


class TransposeConvergence(Claim):
    """Feedback weights B come to equal the forward weights W, in angle and in size."""

    angle: Number = Field(default=15.0, gt=0, lt=90, description="Degrees between W and B, averaged, at the end.")
    gain: Number = Field(default=0.2, gt=0, description="How far the size of B along W may be from that of W, over it.")
    steps: Whole = Field(default=400, ge=2, le=100_000)
    rate: Number = Field(default=0.1, gt=0)


class Descent(Claim):
    """A step along dw lowers the loss, on average over networks and data."""

    loss: Literal["squared", "cross_entropy"] = "squared"
    draws: Whole = Field(default=100, ge=2, le=100_000, description="How many networks and batches it averages over.")
    warmup: Whole = Field(default=0, ge=0, le=100_000, description="Steps of learning before the one that is judged.")
    rate: Number = Field(default=0.01, gt=0)


class Claims(Declaration):
    """The properties that a learning system claims, each by its name, with what it says beside (or nothing)."""

    locality: Locality | None = None
    no_transport: NoTransport | None = None
    batch_permutation: BatchPermutation | None = None
    batch_splitting: BatchSplitting | None = None
    fan_in_additivity: FanInAdditivity | None = None
    rate_linearity: RateLinearity | None = None
    sign_equivariance: SignEquivariance | None = None
    boundedness: Boundedness | None = None
    fixed_point: FixedPoint | None = None
    decay_of_difference: DecayOfDifference | None = None
    transpose_convergence: TransposeConvergence | None = None
    descent: Descent | None = None
    same_on_every_engine: SameOnEveryEngine | None = None

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, value: Any) -> Any:
        """A name with nothing after it is a claim, too."""
        if not isinstance(value, Mapping):
            return value
        return {name: {} if claim is None and name in cls.model_fields else claim for name, claim in value.items()}

    def named(self) -> Iterator[tuple[str, Claim]]:
        """(name, claim) of all that is claimed, in the order of the table."""
        for name in type(self).model_fields:
            if (claim := getattr(self, name)) is not None:
                yield name, claim


PROPERTIES: Mapping[str, type[Claim]] = {
    name: next(kind for kind in field.annotation.__args__ if kind is not type(None))
    for name, field in Claims.model_fields.items()
    if field.annotation is not None
}
"""What each property's claim may say, by the property's name."""
