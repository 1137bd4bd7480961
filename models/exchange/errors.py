"""What cannot be exchanged with torch."""

from ...circuits.errors import CircuitError


class ExchangeError(CircuitError):
    """A module that no circuit can say, a circuit that no module can, or states that do not fit. All problems at once.

    Each problem names the place (in a module: the qualified name of the submodule and its class), what cannot be said,
    and the remedy or the nearest that can.
    """
