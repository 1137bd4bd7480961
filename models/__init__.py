"""Stock circuits and learning systems, and how they and yours are loaded."""

from .library import load, load_learning, loads, stock_circuits, stock_learning, with_learning

__all__ = ["load", "load_learning", "loads", "stock_circuits", "stock_learning", "with_learning"]
