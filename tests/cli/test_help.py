"""Help, version, and what happens when the command line itself is wrong."""

import re

import pytest
from typer.testing import CliRunner

import counterstream
from counterstream.cli import listing, main
from counterstream.cli.app import COMMANDS, app

from .commands import counterstream as command


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_shows_an_example(name: str) -> None:
    shown = CliRunner().invoke(app, [name, "-h"])
    assert shown.exit_code == 0
    assert re.search(rf"Example.*:\n +counterstream {name}", shown.output)


def test_the_index_fits_a_screen() -> None:
    shown = CliRunner().invoke(app, ["--help"])
    assert len(shown.output.splitlines()) < 36
    assert all(name in shown.output for name in COMMANDS)


def test_ctrl_c_outside_of_a_run_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sys.argv", ["counterstream", "list"])
    monkeypatch.setattr(listing, "contents", interrupted)
    with pytest.raises(SystemExit) as leaving:
        main()
    assert leaving.value.code == 130
    assert capsys.readouterr().err.strip() == "interrupted"


def test_version() -> None:
    assert CliRunner().invoke(app, ["--version"]).output == f"counterstream {counterstream.__version__}\n"


def test_a_wrong_command_is_an_error_with_the_nearest() -> None:
    done = command("chek")
    assert done.returncode == 2
    assert "No such command 'chek'" in done.stderr
    assert "check" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_option_is_an_error() -> None:
    done = command("demo", "--seeds", "0")
    assert done.returncode == 2
    assert "--seeds" in done.stderr
