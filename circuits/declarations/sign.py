"""The sign of a population's synapses: Dale's law."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from ..model import Declaration, Number


class Mixture(Declaration):
    """The first channels are excitatory, the others inhibitory: round(excitatory * channels) of them, at least one of
    each.
    """

    excitatory: Number = Field(gt=0, lt=1, description="The share of the channels whose synapses are all excitatory.")

    def count(self, channels: int) -> int:
        """How many of so many channels are excitatory."""
        return min(max(round(self.excitatory * channels), 1), channels - 1)


def _form(value: object) -> str | None:
    if isinstance(value, Mapping | Mixture):
        return "#mixture"
    return "#word" if value in ("excitatory", "inhibitory") else None


Sign = Annotated[
    Annotated[Literal["excitatory", "inhibitory"], Tag("#word")] | Annotated[Mixture, Tag("#mixture")],
    Discriminator(
        _form,
        custom_error_type="form",
        custom_error_message="must be excitatory, inhibitory, or {excitatory: SHARE} of the channels",
    ),
]
"""Of all synapses that leave a population: w >= 0, w <= 0, or either by channel."""
