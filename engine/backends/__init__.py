"""Engines: what turns programs into functions. `reference` defines the operations, `torch` runs them fast."""

from .base import Engine, EngineError, Executable, InputError, UnsupportedByEngine
from .registry import (
    BrokenEngine,
    EngineNotInstalled,
    UnknownEngine,
    available_engines,
    load_engine,
)

__all__ = [
    "BrokenEngine",
    "Engine",
    "EngineError",
    "EngineNotInstalled",
    "Executable",
    "InputError",
    "UnknownEngine",
    "UnsupportedByEngine",
    "available_engines",
    "load_engine",
]
