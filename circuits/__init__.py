"""What a network is: declarations, their checks, the explicit form and the locality proof. Never imports torch.

In the order data pass: `yamlfile` (text to plain data with places), `validation` and `declarations` (to a Circuit),
`inlining` (blocks and stages written out), `graph` (order and shapes, by way of `checks`), `expansion` (the explicit
circuit, by way of `overrides`, `assignment`, `pathway`, `feedback` and `crossing`), `rules` and `plasticity` (normal
forms), `locality` (the proof), `writing` (back to text).
"""

from .declarations import Circuit, Consolidation, LearningSystem
from .errors import CircuitError, CounterstreamError
from .expansion import expand
from .locality import LocalityReport, check
from .writing import dump

__all__ = [
    "Circuit",
    "CircuitError",
    "Consolidation",
    "CounterstreamError",
    "LearningSystem",
    "LocalityReport",
    "check",
    "dump",
    "expand",
]
