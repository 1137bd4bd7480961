"""A JAX engine for Counterstream: a program becomes one function, which XLA compiles whole."""

from .engine import JaxEngine

__all__ = ["JaxEngine"]
