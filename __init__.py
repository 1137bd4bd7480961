"""Counterstream: declare a circuit of forward and feedback populations, prove it local, compile, train, measure it.

    import counterstream as cs
    circuit = cs.load("digits_resnet", learning="kolen_pollack")
    print(cs.check(circuit).local)
    sim = cs.compile(circuit)
    sim.step(images, labels)

Names are imported when they are first used: `import counterstream` alone loads no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .circuits import Circuit, CircuitError, Consolidation, CounterstreamError, check, dump, expand
    from .engine import Ranks, Simulator, compile
    from .models import Builder, load, loads, with_learning
    from .models.exchange import ExchangeError, Network, as_torchvision, from_torch, to_torch

__version__ = "0.1.0"

_HOME = {
    "circuits": ("Circuit", "CircuitError", "Consolidation", "CounterstreamError", "check", "dump", "expand"),
    "engine": ("Ranks", "Simulator", "compile"),
    "models": ("Builder", "load", "loads", "with_learning"),
    "models.exchange": ("ExchangeError", "Network", "as_torchvision", "from_torch", "to_torch"),
}

__all__ = [
    "Builder",
    "Circuit",
    "CircuitError",
    "Consolidation",
    "CounterstreamError",
    "ExchangeError",
    "Network",
    "Ranks",
    "Simulator",
    "__version__",
    "as_torchvision",
    "check",
    "compile",
    "dump",
    "expand",
    "from_torch",
    "load",
    "loads",
    "to_torch",
    "with_learning",
]


def __getattr__(name: str) -> Any:
    for home, names in _HOME.items():
        if name in names:
            return getattr(import_module(f".{home}", __name__), name)
    raise AttributeError(f"module 'counterstream' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__
