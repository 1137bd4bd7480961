"""Every stock circuit in Python is the circuit of its file, whatever the options."""

from typing import Any

import pytest

import counterstream as cs
from counterstream.circuits.expansion import compact
from counterstream.circuits.yamlfile import read_file
from counterstream.models import load_learning, networks, stock_circuits
from counterstream.models.library import stock_variants

SMALL = {"kaiming": {"gain": 0.5, "distribution": "uniform"}}
RESNET: list[dict[str, Any]] = [
    {"size": [1, 8, 8], "classes": 10, "stem": "small", "width": 0.25},
    {"size": [3, 64, 96], "width": 1.3, "neuron": {"normalize": "batch", "transfer": "tanh"}, "initial": SMALL},
]
OPTIONS: dict[str, list[dict[str, Any]]] = {
    "alexnet": [{"size": [1, 64, 64], "classes": 7, "width": 0.3, "dropout": 0}, {"initial": SMALL, "dropout": 0.2}],
    "digits_resnet": [{"size": [3, 9, 9], "classes": 3, "width1": 4, "width2": 6, "width3": 5}],
    "lenet": [{"size": [3, 32, 32], "classes": 100, "transfer": "relu"}, {"initial": {"uniform": {"bound": 0.1}}}],
    "mlp": [{"size": [784], "width": 30, "depth": 4, "transfer": "tanh"}, {"normalize": "batch", "initial": SMALL}],
    "plain_cnn": [{"size": [3, 32, 32], "classes": 100, "width": 24, "depth": 1}, {"depth": 3, "transfer": "tanh"}],
    "resnet": [*RESNET, {"last_gain": 0, "depths": [1, 2, 1, 3]}],
    "resnet_v2": [*RESNET, {"last": "zeros"}],
    "resnet_post": [*RESNET, {"last": "zeros"}],
    "vgg_bn": [{"size": [1, 40, 32], "classes": 7, "width": 0.1, "dropout": 0.3}, {"depths": [1, 2, 1, 1, 3]}],
}
"""By file. What is not set keeps its default, which is the same in both."""
TWINS = {name: getattr(networks, name) for name in networks.__all__}
NAMES_OF_BLOCKS = {"block", "opening", "wider"}
DEEP = ("34", "101", "152")  # built by the same loops as 18 and 50, at length: with their defaults only


def cases() -> list[Any]:
    """(name, options) for every twin: none, and those of its file."""
    files = {name: path.stem for name, (path, _) in stock_variants().items()}
    return [
        pytest.param(name, options, id=f"{name}-{index}")
        for name in TWINS
        for index, options in enumerate([{}, *([] if any(d in name for d in DEEP) else OPTIONS[files.get(name, name)])])
    ]


def test_every_stock_circuit_has_a_twin() -> None:
    files_of_variants = {path.stem for path, _ in stock_variants().values()}
    assert TWINS.keys() == (stock_circuits().keys() - files_of_variants) | stock_variants().keys()


@pytest.mark.parametrize(("name", "options"), cases())
def test_a_twin_is_the_circuit_of_its_file(name: str, options: dict[str, Any]) -> None:
    twin = TWINS[name](**options)
    assert twin == compact(cs.load(name, options=options))
    assert twin.name == name


@pytest.mark.parametrize("name", [name for name in TWINS if not any(depth in name for depth in DEEP)])
def test_a_twin_takes_a_learning_system(name: str) -> None:
    twin = TWINS[name](learning=load_learning("kolen_pollack"))
    assert twin == TWINS[name](learning="kolen_pollack")
    assert cs.expand(twin) == cs.expand(cs.load(name, learning="kolen_pollack"))


def test_what_a_twin_is_given_is_checked() -> None:
    with pytest.raises(cs.CircuitError, match=r"resnet18: populations\.image\.input: a shape is a number of neurons"):
        networks.resnet18(size=[3, 224])
    with pytest.raises(cs.CircuitError, match=r"lenet: projections\.s2->c3\.wiring: conv 'kernel' \[5, 5\] must fit"):
        networks.lenet(size=[1, 8, 8])


@pytest.mark.parametrize("name", [name for name in TWINS if not any(depth in name for depth in DEEP)])
def test_every_option_of_a_file_is_a_keyword_of_its_twin(name: str) -> None:
    """But for names of blocks, which a twin has not: its own name says which."""
    path, variant = stock_variants().get(name, (stock_circuits().get(name), ""))
    assert path is not None
    data = read_file(path).data
    options = data["options"] | data.get("variants", {}).get(variant, {})
    if options.get("last") == "$initial":
        options["last"] = options["initial"]
    assert (NAMES_OF_BLOCKS & options.keys()) in (set(), NAMES_OF_BLOCKS)
    given = {key: value for key, value in options.items() if key not in NAMES_OF_BLOCKS}
    assert TWINS[name](**given) == TWINS[name]()


def test_a_file_with_blocks_equals_its_twin_written_out() -> None:
    loaded, twin = cs.load("resnet18"), networks.resnet18()
    assert loaded != twin
    assert compact(loaded) == twin
    assert cs.expand(loaded) == cs.expand(twin)
    assert cs.load("lenet") == networks.lenet()  # without blocks there is nothing to write out


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("resnet18", {"width": "a"}, r"resnet18: width: must be a number above 0 \(got 'a'\)"),
        ("resnet50_v2", {"width": 0}, r"resnet50_v2: width: must be a number above 0 \(got 0\)"),
        ("alexnet", {"width": None}, r"alexnet: width: must be a number above 0 \(got None\)"),
        ("vgg11_bn", {"width": float("nan")}, r"vgg11_bn: width: must be a number above 0 \(got nan\)"),
        ("vgg11_bn", {"depths": [1, 1]}, r"vgg11_bn: depths: must be 5 numbers, one a stage \(got \[1, 1\]\)"),
        ("resnet18", {"depths": [1, 0, 1, 1]}, r"resnet18: depths: must be a whole number, at least 1 \(got 0\)"),
        (
            "resnet18",
            {"size": 3},
            r"resnet18: .*conv needs a source of shape .* \(got \[3\]\)",
        ),
        ("resnet18", {"size": "abc"}, r"resnet18: populations\.image\.input: "),
        ("resnet18", {"size": None}, r"resnet18: "),
        ("mlp", {"depth": 0}, r"mlp: depth: must be a whole number, at least 1 \(got 0\)"),
        ("mlp", {"width": "a"}, r"mlp: projections\.image->stage1\.block1\.hidden\.wiring"),
        ("plain_cnn", {"depth": 1.5}, r"plain_cnn: depth: must be a whole number, at least 1 \(got 1\.5\)"),
        ("plain_cnn", {"width": "a"}, r"plain_cnn: width: must be a whole number, at least 1 \(got 'a'\)"),
        ("digits_resnet", {"width1": "a"}, r"digits_resnet: projections\."),
    ],
)
def test_what_is_wrong_with_an_option_is_named(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(cs.CircuitError, match=message):
        TWINS[name](**options)
    with pytest.raises(cs.CircuitError):
        cs.load(name, options=options)
