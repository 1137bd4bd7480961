"""The recipes for ImageNet: each loads, says what it claims, and takes up images of ImageNet's layout."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import counterstream
from counterstream.circuits.locality import prove
from counterstream.cli.experiment import changed, source_at
from counterstream.cli.loading import circuits_of
from counterstream.engine.data.fractals import Plan, write
from counterstream.engine.data.images.imagenet import ImageNet
from counterstream.engine.training import prepare, read

RECIPES = sorted((Path(counterstream.__file__).parent / "examples" / "imagenet").glob("*.yaml"))
SYSTEMS = ("backprop", "weight_mirror", "kolen_pollack", "sign_symmetry", "feedback_alignment")
PYTHON = Path(sys.executable)
TRANSPORTING = {"backprop", "sign_symmetry"}

pytestmark = pytest.mark.skipif(not RECIPES, reason="installed without its repository")
each = pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)


def test_there_is_one_for_each_network_and_kind() -> None:
    assert [path.stem for path in RECIPES] == [
        f"{network}-{kind}" for network in ("resnet18", "resnet50") for kind in ("modern", "paper")
    ]


@each
def test_its_first_lines_say_what_it_claims_and_how_each_row_is_made(path: Path) -> None:
    head = path.read_text(encoding="utf-8").partition("format: 1")[0]
    assert all(line.startswith("#") for line in head.splitlines())
    for word in ("Claims", "Measured    nothing on ImageNet", "Hardware"):
        assert f"# {word}" in head
    rows = re.findall(r"counterstream run (\S+) --learning (\w+) +--output (\S+)", head)
    assert [system for _, system, _ in rows] == list(SYSTEMS)
    assert {file for file, *_ in rows} == {f"examples/imagenet/{path.name}"}
    assert len({output for *_, output in rows}) == len(SYSTEMS)


@each
def test_it_declares_imagenet_at_full_size(path: Path) -> None:
    experiment = read(path)
    assert experiment.learning == SYSTEMS
    assert isinstance(experiment.data, ImageNet)
    assert (experiment.data.size, experiment.data.shorter) == (224, 256)
    assert experiment.name == path.stem
    assert experiment.device == "cuda"


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images") / "fractals"
    write(folder, Plan(classes=3, train=8, val=2, size=24, seed=0), workers=1)
    return folder


@each
def test_it_takes_up_images_of_that_layout(path: Path, images: Path) -> None:
    """All systems of the recipe, where neither a GPU nor ImageNet is at hand: in a narrow network."""
    recipe = read(path)
    assert isinstance(recipe.data, ImageNet)
    experiment = changed(
        recipe,
        data=recipe.data.model_copy(update={"folder": str(images), "size": 16, "validation": 3}),
        options={"size": [3, 16, 16], "classes": 3, "width": 0.0625, "stem": "small"},
        batch=4,
        device="cpu",
        engine="torch",
        dtype="float32",
    )
    plan = prepare(experiment, circuits_of(experiment))
    assert len(plan.dataset.train) == 21
    judged = {system.name: prove(system.explicit).transports_weights for system in plan.systems}
    assert judged == {system: system in TRANSPORTING for system in SYSTEMS}
    mirror = next(system.explicit.modes["mirror"] for system in plan.systems if "mirror" in system.explicit.modes)
    assert mirror.samples == recipe.modes["mirror"].samples


def test_the_rehearsal_prepares(tmp_path: Path) -> None:
    rehearsal = read(RECIPES[0].parents[1] / "rehearsal.yaml")
    write(tmp_path / "fractals", Plan(classes=20, train=3, val=1, size=24, seed=0), workers=1)
    experiment = changed(rehearsal, data=source_at(rehearsal, tmp_path / "fractals"))
    plan = prepare(experiment, circuits_of(experiment))
    assert [system.name for system in plan.systems] == list(SYSTEMS)
    assert plan.dataset.classes == 20


@pytest.mark.slow
def test_the_rehearsal_goes_all_the_way(tmp_path: Path) -> None:
    """In short: images, five systems on two ranks, killed and taken up again, table and report."""
    script = RECIPES[0].parents[1] / "rehearsal.sh"
    environment = os.environ | {
        "TRAIN": "4",
        "VAL": "1",
        "EPOCHS": "2",
        "PATH": f"{PYTHON.parent}:{os.environ['PATH']}",
    }
    done = subprocess.run(
        ["bash", script, tmp_path], capture_output=True, text=True, check=False, timeout=900, env=environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Killed" in done.stdout
    assert "Traceback" not in done.stderr
    table = (tmp_path / "table.md").read_text(encoding="utf-8")
    (row,) = [line for line in table.splitlines() if line.startswith("| resnet18 |")]
    assert row.count("(1)") == len(SYSTEMS)
    assert "Left out" not in table
    assert (tmp_path / "report.html").exists()
