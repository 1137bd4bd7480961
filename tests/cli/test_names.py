"""Names given on the command line."""

import pytest

from counterstream.circuits.errors import CounterstreamError
from counterstream.cli.experiment import names_in


def test_names_are_separated_by_commas() -> None:
    assert names_in("backprop, kolen_pollack") == ("backprop", "kolen_pollack")
    assert names_in(None) is None


@pytest.mark.parametrize("text", ["", ",", " , "])
def test_an_option_that_names_nothing_is_refused(text: str) -> None:
    with pytest.raises(CounterstreamError, match="must name at least one"):
        names_in(text)
