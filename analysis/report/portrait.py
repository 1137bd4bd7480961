"""What is known of a circuit beyond its recording, from those who may read circuits."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Portrait:
    """One explicit circuit. `analysis` reads HDF5 only, so the caller draws and judges, and hands the outcome in.

    drawing: the text of an SVG; departures: sentences, each a departure from locality that the model makes on purpose;
    transports_weights: the proof's verdict (None: not proven); problem: why something of this is missing.
    """

    drawing: str = ""
    departures: Sequence[str] = ()
    transports_weights: bool | None = None
    problem: str = ""
