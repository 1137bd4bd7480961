"""The inductor engine: the torch engine's graphs through torch.compile."""

from .engine import InductorEngine

__all__ = ["InductorEngine"]
