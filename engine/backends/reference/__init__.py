"""The reference engine: NumPy, float64, written to be read. It is the definition of every operation."""

from .engine import ReferenceEngine

__all__ = ["ReferenceEngine"]
