"""What goes wrong when a circuit is compiled that is well formed and yet cannot run."""

from ...circuits.errors import CircuitError, Problem


def cannot(message: str, path: str = "") -> CircuitError:
    """A CircuitError for one thing that cannot be compiled."""
    return CircuitError(Problem(message, path))
