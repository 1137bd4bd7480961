"""Consolidation: what a synapse does with its drive. Elementwise and local; the same for all synapses of a circuit."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ..model import Declaration, Number, Truth

_ONLY = {"sgd": frozenset({"momentum", "nesterov"}), "adamw": frozenset({"betas", "epsilon"})}
"""The settings that one optimizer has and the other has not."""


class Consolidation(Declaration):
    """SGD with momentum (torch.optim.SGD's convention: v <- momentum v + drive - decay w; w <- w + rate v) or AdamW
    (Loshchilov and Hutter 2019: decay decoupled from the moments).

    The decay is the rule's own term in w; there is no second setting for it.
    """

    optimizer: Literal["sgd", "adamw"] = "sgd"
    rate: Number = Field(default=0.1, gt=0)
    momentum: Number = Field(default=0.0, ge=0, lt=1)
    nesterov: Truth = False
    betas: tuple[Annotated[Number, Field(ge=0, lt=1)], Annotated[Number, Field(ge=0, lt=1)]] = (0.9, 0.999)
    epsilon: Number = Field(default=1e-8, gt=0)

    @model_validator(mode="after")
    def _settings_apply(self) -> "Consolidation":
        """Refuse settings that the optimizer would ignore."""
        if ignored := sorted(self.model_fields_set & _ONLY["adamw" if self.optimizer == "sgd" else "sgd"]):
            others = ", ".join(sorted(_ONLY[self.optimizer]))
            raise ValueError(f"{self.optimizer} has no {', '.join(ignored)}: it takes rate, {others}")
        if self.nesterov and not self.momentum:
            raise ValueError("nesterov needs a momentum above 0 (got 0)")
        return self
