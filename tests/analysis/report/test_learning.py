"""What a report says of how feedback reaches the hidden populations, read from the explicit circuit."""

import pytest

import counterstream as cs
from counterstream.analysis.report.learning import learning
from counterstream.circuits.writing import as_data


class NoRecord:
    """Where the circuit can be read, nothing of the run is asked."""


@pytest.mark.parametrize(
    ("system", "direct", "sends_target", "ties"),
    [
        ("direct_feedback_alignment", True, False, []),
        ("direct_random_target_projection", True, True, []),
        ("batchwise_random_sign_feedback", False, False, ["sign_of"]),
        ("kolen_pollack", False, False, []),
    ],
)
def test_whence_errors_come(system: str, direct: bool, sends_target: bool, ties: list[str]) -> None:
    circuit = as_data(cs.expand(cs.load("plain_cnn", learning=system)))
    told = learning(circuit, NoRecord())  # type: ignore[arg-type]
    assert (told.direct, told.sends_target, told.ties) == (direct, sends_target, ties)
