"""Modulators: global third factors that rules read."""

from typing import Literal

from pydantic import Field, model_validator

from ..model import Declaration, Number


class Modulator(Declaration):
    """A global third factor that rules read as `mod.NAME`: one number a sample, or one for the whole batch.

    Each step is given it from outside, unless it is `of: loss`. Then the circuit works it out: a reward, which is
    minus the loss of the sample (summed over the outputs; `per: batch`: its mean over the batch), less a baseline.
    `noiseless`: minus the loss of the same sample in a second forward pass that injects no noise. `running`: what the
    earlier steps were rewarded with on average, a mean that moves by `momentum` a step and starts at 0. `none`:
    nothing. Whatever the baseline, as long as the noise of the step has no part in it, it changes no rule in
    expectation that multiplies the reward with that noise, only its variance (Williams 1992).
    """

    per: Literal["sample", "batch"] = "sample"
    of: Literal["loss"] | None = Field(default=None, description="loss: a reward, worked out by the circuit itself.")
    baseline: Literal["none", "noiseless", "running"] = "none"
    momentum: Number = Field(default=0.1, gt=0, le=1, description="Of a running baseline.")

    @model_validator(mode="after")
    def _own(self) -> "Modulator":
        if self.of is None and self.baseline != "none":
            raise ValueError("a baseline belongs to a modulator that the circuit works out: say of: loss")
        if self.baseline != "running" and "momentum" in self.model_fields_set:
            raise ValueError("momentum belongs to a running baseline: say baseline: running")
        return self
