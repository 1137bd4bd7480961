"""Hypothesis strategies: what examples are drawn from."""

from ..requirements import require_hypothesis

require_hypothesis()

from .circuits import circuits, declared  # noqa: E402 - only once it is known that hypothesis is there

__all__ = ["circuits", "declared"]
