"""Images of iterated function systems in ImageNet's layout: a stand-in for where ImageNet cannot be had."""

from .drawing import draw
from .folder import MANIFEST, Plan, write
from .systems import System, stream, system_of_class

__all__ = ["MANIFEST", "Plan", "System", "draw", "stream", "system_of_class", "write"]
