"""Hypothesis strategies: what examples are drawn from."""

from ..requirements import require_hypothesis

require_hypothesis()

from .arrays import activities, batches, weights  # noqa: E402 - only once it is known that hypothesis is there
from .circuits import circuits, declared  # noqa: E402
from .geometries import geometries  # noqa: E402
from .numbers import numbers  # noqa: E402
from .situations import situations  # noqa: E402
from .wirings import shapes  # noqa: E402

__all__ = [
    "activities",
    "batches",
    "circuits",
    "declared",
    "geometries",
    "numbers",
    "shapes",
    "situations",
    "weights",
]
