"""Benchmarks: a circuit's training step on our engines beside the same network in plain PyTorch, by the clock."""

from .compare import compare
from .plan import BenchError, Plan, plan
from .results import Contest, Measured
from .table import as_json, as_markdown

__all__ = ["BenchError", "Contest", "Measured", "Plan", "as_json", "as_markdown", "compare", "plan"]
