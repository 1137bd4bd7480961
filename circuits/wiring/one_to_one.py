"""One-to-one wiring: each neuron to its counterpart. Skip connections, concatenations and channel slices."""

from typing import Annotated, ClassVar

from pydantic import Field

from ..model import Whole
from .base import MAXIMAL_NEURONS, Shape, Wiring, WiringError

Channel = Annotated[Whole, Field(ge=0, le=MAXIMAL_NEURONS)]
Range = tuple[Channel, Channel]


class OneToOne(Wiring):
    """The identity, or channels [start, stop) of the source onto channels [start, stop) of the target."""

    kind: ClassVar[str] = "one_to_one"
    weighted: ClassVar[bool] = False

    source: Range | None = Field(default=None, description="Channels [start, stop) that are read; default: all.")
    target: Range | None = Field(default=None, description="Channels [start, stop) that are written; default: all.")

    def target_shape(self, source: Shape, declared: Shape | None = None) -> Shape:
        start, stop = self.source or (0, source[0])
        if not start < stop <= source[0]:
            raise WiringError(f"one_to_one 'source' must lie within 0 and {source[0]} channels (got [{start}, {stop}])")
        width = stop - start
        if self.target is None:
            return (width, *source[1:])
        if declared is None:
            raise WiringError("one_to_one with a 'target' range needs a target of declared shape")
        first, last = self.target
        if not (first < last <= declared[0] and last - first == width):
            raise WiringError(
                f"one_to_one 'target' must hold {width} channels within 0 and {declared[0]} (got [{first}, {last}])"
            )
        if source[1:] != declared[1:]:
            raise WiringError(f"one_to_one joins equal maps (got {list(source)} and {list(declared)})")
        return declared
