"""Names given on the command line."""

import sys

import pytest

from counterstream.circuits.errors import CounterstreamError
from counterstream.cli import main
from counterstream.cli.experiment import names_in


def test_names_are_separated_by_commas() -> None:
    assert names_in("backprop, kolen_pollack") == ("backprop", "kolen_pollack")
    assert names_in(None) is None


@pytest.mark.parametrize("text", ["", ",", " , "])
def test_an_option_that_names_nothing_is_refused(text: str) -> None:
    with pytest.raises(CounterstreamError, match="must name at least one"):
        names_in(text)


@pytest.mark.parametrize("command", ["check", "analyze", "validate", "explain"])
def test_what_a_terminal_obeys_is_shown_and_not_obeyed(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["counterstream", command, "none\x1b[31m.h5"])
    with pytest.raises(SystemExit) as left:
        main()
    said = capsys.readouterr()
    assert left.value.code == 2
    assert "none\\x1b[31m.h5" in said.err
    assert "\x1b" not in said.out + said.err


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("Unable to allocate 7.28 TiB for an array"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes"),
        type("OutOfMemoryError", (RuntimeError,), {})("CUDA out of memory"),
    ],
)
def test_too_little_memory_is_no_bug(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr("counterstream.cli.app.app", fail)
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    assert capsys.readouterr().err.startswith(f"there is not enough memory ({error}). Take a smaller batch or circuit")
