"""The torch engine: a program becomes a `torch.fx` graph of aten calls, forward, feedback and plasticity alike."""

from .engine import TorchEngine, TorchExecutable

__all__ = ["TorchEngine", "TorchExecutable"]
