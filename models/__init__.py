"""Stock circuits and learning systems, how they and yours are loaded, and how circuits are built in Python.

`networks` holds the stock circuits as functions; `exchange` (which loads torch) takes networks in and gives them back.
"""

from .builder import Builder
from .library import load, load_learning, loads, stock_circuits, stock_learning, stock_variants, with_learning

__all__ = [
    "Builder",
    "load",
    "load_learning",
    "loads",
    "stock_circuits",
    "stock_learning",
    "stock_variants",
    "with_learning",
]
