"""How a circuit runs, in the order data pass: `compiler` (circuit to programs), `backends` (one engine each),
`simulator`, `data`, `training`, `recorder`."""

from .errors import RanksError, SimulationError
from .ranks import Ranks
from .simulator import Simulator, compile

__all__ = ["Ranks", "RanksError", "SimulationError", "Simulator", "compile"]
