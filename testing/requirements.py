"""What the laboratory needs beyond the package itself."""

from importlib.util import find_spec

from ..circuits.errors import CounterstreamError


class LaboratoryError(CounterstreamError):
    """Something asked of the laboratory that it cannot do."""


def require_hypothesis() -> None:
    """Raise LaboratoryError where hypothesis is not installed."""
    if find_spec("hypothesis") is None:
        raise LaboratoryError(
            "counterstream.testing draws its examples with hypothesis, which is not installed: "
            "pip install 'counterstream[testing]'"
        )
