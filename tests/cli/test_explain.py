"""`explain`: totals first, a screenful, the same figures as JSON, the programs on request."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from counterstream.cli.app import app
from counterstream.cli.quantities import quantity

from .commands import counterstream


def output(*arguments: str, code: int = 0) -> str:
    """What a command prints, run in this process."""
    done = CliRunner().invoke(app, ["explain", *arguments])
    assert done.exit_code == code, done.output
    return done.stdout


def figures(*arguments: str) -> dict[str, Any]:
    return dict(json.loads(output(*arguments, "--json")))


def test_totals_come_first() -> None:
    shown = output("resnet50", "--batch", "32")
    lines = shown.splitlines()
    assert lines[0] == "resnet50, learning by backprop, in steps of 32 (float32)"
    assert "25,557,032 forward: 25,502,912 weights, 26,560 gains, 27,560 biases" in shown
    assert "25,493,504 feedback synapses take their weights from others" in shown
    assert next(line for line in lines if line.split()[:1] == ["predict"]).split()[1:3] == ["4.09", "G"]
    assert shown.index("forward passes") < shown.index(
        "engaged, one step: observe and consolidate, by kind of operation"
    )
    assert "Next: counterstream draw resnet50" in lines[-1]


@pytest.mark.parametrize("circuit", ["digits_resnet", "resnet50"])
@pytest.mark.parametrize("learning", ["backprop", "weight_mirror"])
def test_it_fits_a_screen(circuit: str, learning: str) -> None:
    lines = output(circuit, "--learning", learning).splitlines()
    assert len(lines) < 45
    assert max(map(len, lines)) <= 120


def test_mirrors_are_told_as_shares_of_a_step() -> None:
    data = figures("digits_resnet", "--learning", "weight_mirror", "--batch", "16")["modes"]
    share = data["mirror"]["multiply_adds"] / data["engaged"]["multiply_adds"]
    assert share > 1, "small images: the noise outweighs the data"
    assert f"{share:.2g} x engaged" in output("digits_resnet", "--learning", "weight_mirror", "--batch", "16")
    assert "% of engaged" in output("digits_resnet", "--learning", "weight_mirror", "--batch", "10000")


def test_projections_that_rotate_are_told_by_the_round(tmp_path: Path) -> None:
    stock = (files("counterstream.models") / "learning" / "weight_mirror.yaml").read_text(encoding="utf-8")
    system = tmp_path / "turning.yaml"
    system.write_text(stock.replace("    every: 1", "    every: 2\n    layers: {rotate: 4}"), encoding="utf-8")
    assert "once every 2 steps, in 4 turns" in " ".join(output("digits_resnet", "--learning", str(system)).split())
    whole, turning = (
        figures("digits_resnet", "--learning", learning)["modes"]["mirror"]
        for learning in ("weight_mirror", str(system))
    )
    assert (whole["turns"], turning["turns"]) == (1, 4)
    assert turning["multiply_adds"] == whole["multiply_adds"]
    assert turning["memory_bytes"] < whole["memory_bytes"]


def test_json_holds_every_figure() -> None:
    data = figures("digits_resnet", "--learning", "kolen_pollack", "--batch", "10", "--dtype", "float64")
    assert {key: data[key] for key in ("circuit", "learning", "batch", "dtype")} == {
        "circuit": "digits_resnet",
        "learning": "kolen_pollack",
        "batch": 10,
        "dtype": "float64",
    }
    assert data["parameters"]["forward"] == sum(data["parameters"][kind] for kind in ("weights", "gains", "biases"))
    assert data["state_bytes"]["feedback weights"] == 8 * data["parameters"]["feedback"]
    engaged = data["modes"]["engaged"]
    assert engaged["multiply_adds"] == sum(one["multiply_adds"] for one in engaged["operations"].values())
    assert "programs" not in engaged


def test_operations_lists_every_value() -> None:
    program = figures("digits_resnet", "--operations")["modes"]["engaged"]["programs"]["engaged"]
    shown = output("digits_resnet", "--operations", "--mode", "engaged")
    assert f"program 'engaged': {len(program)} values" in shown
    start = shown.index("program 'engaged'")
    listed = shown[start : shown.index("program 'consolidate engaged'")].splitlines()[1:-1]
    assert [int(line.split()[0]) for line in listed] == list(range(len(program)))
    assert any(line.endswith("-> drive/weights/image->stem") for line in listed)
    assert any("transfer(" in line and " relu " in line for line in listed)


def test_one_mode() -> None:
    shown = output("digits_resnet", "--mode", "predict")
    assert "normalize_fixed" in shown
    assert "engaged" not in shown.replace("counterstream", "")
    assert figures("digits_resnet", "--mode", "predict")["modes"].keys() == {"predict"}


def test_options_of_the_circuit() -> None:
    wide, narrow = (figures("resnet18", "--option", f"width={width}")["parameters"]["weights"] for width in (1, 0.5))
    assert 3.5 < wide / narrow < 4


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--mode", "engagd"), "unknown mode 'engagd'. Did you mean 'engaged'? modes: predict, engaged"),
        (("--dtype", "float16"), "unknown number format 'float16'. Did you mean"),
    ],
)
def test_unknown_names_come_with_the_nearest(arguments: tuple[str, str], told: str) -> None:
    done = counterstream("explain", "digits_resnet", *arguments)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_batch_has_samples() -> None:
    output("digits_resnet", "--batch", "0", code=2)


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0, "0 "), (999, "999 "), (1000, "1.00 k"), (99_950, "100 k"), (-2.5e9, "-2.50 G"), (2.5e21, "2500 E")],
)
def test_quantities(number: float, shown: str) -> None:
    assert quantity(number) == shown
