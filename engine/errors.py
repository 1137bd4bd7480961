"""What a simulator refuses."""

from ..circuits.errors import CounterstreamError


class SimulationError(CounterstreamError):
    """A call that does not fit the circuit: an unknown name, an array of another shape, a mode that needs data."""


class UnknownName(SimulationError, KeyError):
    """No such projection or population, or one without what was asked for."""

    __str__ = Exception.__str__  # KeyError would show the message's repr


class RanksError(SimulationError):
    """Ranks that share a model and are not together: one cannot be reached, or holds something else than the others."""
