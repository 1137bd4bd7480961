"""How training ends when it does not end well."""

from ...circuits.errors import CounterstreamError


class ExperimentError(CounterstreamError):
    """An experiment whose parts do not go together, or that has nowhere to write."""

    on_every_rank = True


class Diverged(CounterstreamError):
    """The loss or a weight is no longer finite. Says in which step, and where it appeared first."""

    on_every_rank = True


class Interrupted(CounterstreamError):
    """Ctrl-C. Says what was saved."""

    exit_code = 130
    on_every_rank = True


class Terminated(Interrupted):
    """SIGTERM, as batch systems send it before they take a machine away. Says what was saved."""

    exit_code = 143


class CheckpointError(CounterstreamError):
    """A checkpoint that cannot be written or read, or that is of another run."""
