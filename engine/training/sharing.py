"""What an experiment's `ranks` says: how several processes share its batches. How many there are, torchrun says."""

from typing import Literal

from pydantic import Field

from ...circuits.model import Declaration


class Sharing(Declaration):
    """Each process takes its share of every batch; all learn from all of it."""

    normalize: Literal["own", "shared"] = Field(
        default="own",
        description="Batch normalization: by each process's own share, or over the shares of all of them.",
    )
