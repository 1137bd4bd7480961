"""How a circuit runs, in the order data pass: `compiler` (circuit to programs), `backends` (one engine each),
`simulator`, `data`, `training`, `recorder`."""

from .errors import SimulationError
from .simulator import Simulator, compile

__all__ = ["SimulationError", "Simulator", "compile"]
