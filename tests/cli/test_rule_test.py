"""`counterstream test-rule` as its users see it: verdicts, counterexamples, exit codes."""

import json
import shlex
from pathlib import Path

from .commands import counterstream, here


def test_claims_that_hold_are_exit_code_0() -> None:
    done = counterstream("test-rule", "feedback_alignment", "--examples", 8)
    assert done.returncode == 0, done.stderr
    first, _, *verdicts, _, last = done.stdout.splitlines()
    assert first == "feedback_alignment (engaged.forward) on engine reference; properties: claimed"
    assert all(line.startswith("holds") for line in verdicts)
    assert last == "11 of 11 properties hold"


def test_a_failure_is_exit_code_1_and_can_be_reproduced_by_what_it_printed() -> None:
    done = here("test-rule", "-sign(post.apical) * pre.rate", "--properties", "locality, fan_in_additivity")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert "fails           fan_in_additivity      engaged.forward" in lines
    assert any(line.split() == ["got", "dw", "of", "both", "-1"] for line in lines)
    assert lines[-1] == "1 of 2 properties hold"
    program, *arguments = shlex.split(next(line for line in lines if "Again: " in line).partition("Again: ")[2])
    assert program == "counterstream"
    again = counterstream(*arguments)
    assert again.returncode == 1
    numbers = [line for line in lines if line.startswith("    ")]
    assert [line for line in again.stdout.splitlines() if line.startswith("    ")] == numbers


def test_what_does_not_apply_fails_where_it_was_asked_for_and_not_where_all_is_tried(tmp_path: Path) -> None:
    asked = here("test-rule", "backprop", "--properties", "decay_of_difference")
    assert asked.returncode == 1
    assert "does not apply  decay_of_difference    feedback weights are tied" in asked.stdout
    (tmp_path / "decaying.yaml").write_text('dw: "-decay * w"\nparameters: {decay: 0.1}\n')
    all_tried = counterstream("test-rule", "decaying.yaml", "--examples", 8, folder=tmp_path)
    assert all_tried.returncode == 0, all_tried.stdout
    assert "does not apply  batch_permutation      the rule reads no activity" in all_tried.stdout
    assert all_tried.stdout.splitlines()[-1] == "4 of 13 properties hold, 9 cannot be asked of it"


def test_json() -> None:
    done = here("test-rule", "backprop", "--properties", "no_transport,locality", "--json", "--examples", 20)
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert told["holds"] is False
    transport, locality = told["outcomes"]
    assert (transport["verdict"], locality["verdict"]) == ("fails", "holds")
    assert transport["counterexample"]["got"] == {"weights of second~": [[1.0]]}


def test_bad_input_is_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text("dw: post.rate * pre.rat\n")
    done = counterstream("test-rule", "wrong.yaml", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("wrong.yaml:1:17: dw: 'pre.rat'")
    for arguments in (("backprop", "--properties", "localty"), ("backprop", "--reproduce", "[]"), ("nobody.yaml",)):
        refused = here("test-rule", *arguments)
        assert refused.returncode == 2, refused.stderr
        assert "Traceback" not in refused.stderr


def test_help_states_the_exit_codes() -> None:
    told = " ".join(here("test-rule", "--help").stdout.split())
    assert (
        "exit code 0 where all that is claimed or asked for holds, 1 where a property fails or does not apply" in told
    )
