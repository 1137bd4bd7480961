"""The recipes for ImageNet: each loads, says what it claims, and takes up images of ImageNet's layout."""

import re
from pathlib import Path

import pytest

import counterstream
from counterstream.circuits.locality import prove
from counterstream.cli.experiment import changed
from counterstream.cli.loading import circuits_of
from counterstream.engine.data.fractals import Plan, write
from counterstream.engine.data.images.imagenet import ImageNet
from counterstream.engine.training import Experiment, prepare, read

RECIPES = sorted((Path(counterstream.__file__).parent / "examples" / "imagenet").glob("*.yaml"))
SYSTEMS = ("backprop", "weight_mirror", "kolen_pollack", "sign_symmetry", "feedback_alignment")
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


def small(path: Path, images: Path, system: str) -> Experiment:
    """The recipe with one system, where it can be carried out without a GPU and without ImageNet."""
    recipe = read(path)
    assert isinstance(recipe.data, ImageNet)
    data = recipe.data.model_copy(update={"folder": str(images), "size": 16, "validation": 3})
    options = {"size": [3, 16, 16], "classes": 3, "width": 0.0625, "stem": "small"}
    modes = recipe.modes if system == "weight_mirror" else {}
    return changed(
        recipe, learning=(system,), data=data, options=options, modes=modes, batch=4, device="cpu", engine="torch",
        dtype="float32",
    )  # fmt: skip


@each
@pytest.mark.parametrize("system", SYSTEMS)
def test_it_takes_up_images_of_that_layout(path: Path, images: Path, system: str) -> None:
    experiment = small(path, images, system)
    plan = prepare(experiment, circuits_of(experiment))
    assert prove(plan.systems[0].explicit).transports_weights == (system in TRANSPORTING)
    assert len(plan.dataset.train) == 21
    if system == "weight_mirror":
        assert plan.systems[0].explicit.modes["mirror"].samples == recipe_samples(path)


def recipe_samples(path: Path) -> object:
    return read(path).modes["mirror"].samples
