"""What a finished run came to: the final figures of its recording."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Seconds are those of training steps, modes included, records and evaluation not."""

    steps: int
    test_loss: float
    test_accuracy: float
    test_top5_accuracy: float | None = None
    """None where there are no more than five classes; so for the validation."""
    validation_accuracy: float | None = None
    """None where there is no validation."""
    validation_top5_accuracy: float | None = None
    training_seconds: float
    seconds_per_step: float
    """The median engaged step, and the median of each other mode's turns times how often they ran."""
    data_wait: float = math.nan
    """Seconds that the training thread waited for batches, which no other figure holds."""
