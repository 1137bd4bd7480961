"""What goes wrong between a run and its file."""

from ...circuits.errors import CounterstreamError


class RecordingError(CounterstreamError):
    """A recording that cannot be started, or that broke off; what was confirmed before stays readable."""
