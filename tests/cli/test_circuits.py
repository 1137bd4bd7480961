"""`check`, `expand`, `list` and `schema`."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import counterstream as cs
from counterstream.circuits.errors import CircuitError
from counterstream.cli.app import app

from .commands import counterstream


def output(*arguments: str, code: int = 0) -> str:
    """What a command prints, run in this process."""
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == code, done.output
    return done.stdout


def test_check_says_local() -> None:
    shown = output("check", "digits_resnet", "--learning", "kolen_pollack", "--require-local")
    assert "Local: no synapse's value or change depends on another synapse's weight." in shown
    assert "16 x engaged: -post.apical * pre.rate - decay * w" in shown
    assert "normalizes by statistics of the batch" in shown
    assert "tie" not in shown


@pytest.mark.parametrize(("system", "tie"), [("backprop", "transpose_of"), ("sign_symmetry", "sign_of")])
def test_check_names_every_tie(system: str, tie: str) -> None:
    shown = output("check", "digits_resnet", "--learning", system)
    assert shown.count(f"{tie} tie") == 15
    assert "Weight transport: 15 projections take their weights from others" in shown


def test_check_says_what_rules_read_that_no_synapse_knows() -> None:
    shown = output("check", "mlp", "--learning", "activation_alignment", "--require-local", code=1)
    assert "in mode 'align' its rule reads pre.echo" in " ".join(shown.split())
    assert "Weight transport: 2 projections take or read weights of others" in shown
    shown = output("check", "mlp", "--learning", "node_perturbation", "--require-local")
    assert "6 x in mode 'engaged' its rule reads the global modulator mod.reward" in " ".join(shown.split())


def test_check_fits_a_screen() -> None:
    assert len(output("check", "digits_resnet", "--learning", "weight_mirror").splitlines()) < 40


@pytest.mark.parametrize("circuit", ["resnet152", "vgg_bn", "resnet50_v2"])
def test_check_of_a_deep_circuit_fits_a_screen_and_ends_in_the_verdict(circuit: str) -> None:
    lines = output("check", circuit).splitlines()
    assert len(lines) < 40
    assert lines[-2].startswith("Weight transport: ")
    assert lines[-1] == f"Next: counterstream explain {circuit}"


def test_check_counts_projections_that_are_alike() -> None:
    rows = [line.split() for line in output("check", "resnet152").splitlines()]
    assert ["50", "x", "stage*.block*.conv1", "local", "transpose_of", "tie"] in rows
    assert ["1", "x", "stem.block1.conv1", "local", "-"] in rows
    listed = output("check", "resnet152", "--all").splitlines()
    assert sum("transpose_of tie" in line for line in listed) == 155


def test_check_counts_what_a_screen_cannot_hold(tmp_path: Path) -> None:
    names = [f"{first}{second}" for first in "abcdef" for second in "vwxyz"]
    populations = "".join(f"  {name}: {{loss: squared}}\n" for name in names)
    projections = "".join(f"  - {{from: in, to: {name}, wiring: {{dense: {{size: 2}}}}}}\n" for name in names)
    file = tmp_path / "wide.yaml"
    text = f"populations:\n  in: {{input: [2]}}\n{populations}projections:\n{projections}learning: kolen_pollack\n"
    file.write_text(text)
    lines = output("check", str(file)).splitlines()
    assert len(lines) < 40
    assert any(line.split() == ["11", "others"] for line in lines)


def test_require_local_is_an_exit_code() -> None:
    output("check", "digits_resnet", "--learning", "backprop", "--require-local", code=1)


def test_check_json() -> None:
    verdicts = json.loads(output("check", "digits_resnet", "--learning", "sign_symmetry", "--json"))
    assert verdicts["transports_weights"] is True
    assert verdicts["local"] is False
    told = cs.check(cs.load("digits_resnet", learning="sign_symmetry")).as_data()
    claims = verdicts.pop("claims")
    assert verdicts == json.loads(json.dumps(told))
    assert claims["sign_symmetry"]["boundedness"] == {"parameters": {"decay": 0.1}}
    assert "no_transport" not in claims["sign_symmetry"]


def test_check_lists_what_is_claimed_before_the_verdict() -> None:
    *_, claimed, _, verdict, _ = output("check", "mlp", "--learning", "kolen_pollack").splitlines()
    assert claimed.startswith("Claims of kolen_pollack, for counterstream test-rule: locality, no_transport,")
    assert verdict.startswith("Local:")


def test_an_unknown_name_comes_with_the_nearest() -> None:
    done = counterstream("check", "digits_resnet", "--learning", "kolen_polack")
    assert done.returncode == 2
    assert "unknown learning system 'kolen_polack'" in done.stderr
    assert "Did you mean 'kolen_pollack'?" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_broken_file_names_every_place(tmp_path: Path) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text("format: 1\nname: broken\npopulatons: {}\nlearnig: backprop\n")
    done = counterstream("check", file)
    assert done.returncode == 2
    assert f"{file}:3:1: populatons: unknown key 'populatons'. Did you mean 'populations'?" in done.stderr
    assert f"{file}:4:1: learnig: unknown key" in done.stderr
    assert done.stdout == ""


def test_expand_loads_to_the_same_circuit() -> None:
    circuit = cs.load("digits_resnet", learning="weight_mirror")
    assert cs.loads(output("expand", "digits_resnet", "--learning", "weight_mirror")) == cs.expand(circuit)


def test_expand_into_a_file_keeps_what_is_there(tmp_path: Path) -> None:
    file = tmp_path / "explicit.yaml"
    assert f"counterstream check {file}" in output("expand", "digits_resnet", "-o", str(file))
    text = file.read_text()
    done = counterstream("expand", "digits_resnet", "--learning", "kolen_pollack", "-o", file)
    assert done.returncode == 2
    assert "the file exists" in done.stderr
    assert file.read_text() == text


def test_list_names_what_there_is() -> None:
    shown = output("list")
    for word in ("digits_resnet", "kolen_pollack", "reference", "torch", "digits", "npz", "conv", "relu"):
        assert any(line.split()[:1] == [word] for line in shown.splitlines()), word
    assert max(map(len, shown.splitlines())) <= 120
    assert set(json.loads(output("list", "--json"))) >= {"circuits", "learning systems", "engines", "data"}


def test_variants_are_listed_with_their_file() -> None:
    lines = [line.split() for line in output("list").splitlines()]
    place = next(index for index, words in enumerate(lines) if words[:1] == ["resnet"])
    assert lines[place + 1][:2] == ["resnet18,", "resnet34,"]
    assert json.loads(output("list", "--json"))["circuits"]["resnet18"] == "a variant of resnet"


def test_list_shows_the_options_of_a_circuit(tmp_path: Path) -> None:
    lines = output("list", "resnet50").splitlines()
    assert lines[0] == "options of resnet50:"
    shown = dict(line.split(maxsplit=1) for line in lines[1:-1])
    assert (shown["depths"], shown["block"]) == ("[3, 4, 6, 3]", "bottleneck")
    assert lines[-1] == "Next: counterstream explain resnet50 --option 'size=[3, 224, 224]'"
    assert json.loads(output("list", "mlp", "--json"))["depth"] == 2
    file = tmp_path / "plain.yaml"
    file.write_text("populations: {}\n")
    assert output("list", str(file)).startswith(f"{file} has no options")
    assert "Did you mean 'resnet18'" in str(CliRunner().invoke(app, ["list", "resnet1O"]).exception)


@pytest.mark.parametrize("kind", ["circuit", "learning", "experiment"])
def test_schema_is_json_schema(kind: str) -> None:
    schema = json.loads(output("schema", kind))
    assert schema["type"] == "object"
    assert "format" in schema["properties"]
    assert schema["additionalProperties"] is False


def test_errors_of_a_circuit_are_the_same_from_python() -> None:
    with pytest.raises(CircuitError, match="unknown circuit 'digits_resnt'"):
        cs.load("digits_resnt")
