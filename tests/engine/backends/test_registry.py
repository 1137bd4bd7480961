"""Finding engines: each way in which it can fail says what to do."""

import re
import sys
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from counterstream.engine.backends import (
    BrokenEngine,
    Engine,
    EngineError,
    EngineNotInstalled,
    UnknownEngine,
    available_engines,
    load_engine,
    registry,
)
from counterstream.engine.backends.reference import ReferenceEngine


def installed(monkeypatch: pytest.MonkeyPatch, **engines: str) -> None:
    """Stand in for what other packages register."""
    points = [EntryPoint(name, place, registry.GROUP) for name, place in engines.items()]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)


def test_the_engines_of_this_package() -> None:
    assert {"reference", "torch", "inductor"} <= set(available_engines())
    assert load_engine("reference").dtype == "float64"
    assert load_engine("torch").dtype == "float32"
    assert load_engine("torch", dtype="float64").dtype == "float64"


def test_unknown() -> None:
    with pytest.raises(UnknownEngine, match=r"'trch'\)\. Did you mean 'torch'\? installed: .*reference, torch"):
        load_engine("trch")


def test_known_but_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch)
    with pytest.raises(
        EngineNotInstalled,
        match=r"'jax' is not installed\. It is a package of its own.*pip install \./examples/engine-jax",
    ):
        load_engine("jax")


def test_a_known_engine_that_somebody_installs_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, jax="counterstream.engine.backends.reference:ReferenceEngine")
    assert load_engine("jax").name == "reference"


def test_installed_but_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, mine="no_such_module_anywhere:Engine", other="math:pi", third="math:nothing")
    with pytest.raises(
        BrokenEngine, match=r"\(no_such_module_anywhere:Engine\) but cannot be imported: ModuleNotFound"
    ):
        load_engine("mine")
    with pytest.raises(BrokenEngine, match="'other' is installed but math:pi is not a subclass of Engine"):
        load_engine("other")
    with pytest.raises(BrokenEngine, match=r"'third' .* AttributeError"):
        load_engine("third")


class Unfinished(Engine[Any]):
    """Says who it is, and no more."""

    name = "unfinished"
    dtypes = ("float64",)


class Moody(ReferenceEngine):
    """Cannot be made."""

    def __init__(self, **how: Any) -> None:
        raise RuntimeError("not today")


def test_installed_but_no_engine_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    here = f"{Unfinished.__module__}"
    monkeypatch.setitem(sys.modules, here, sys.modules[here])
    installed(monkeypatch, unfinished=f"{here}:Unfinished", moody=f"{here}:Moody")
    with pytest.raises(
        BrokenEngine, match="Unfinished must have operations, wirings, functions, array, lower, noise, numpy, as every"
    ):
        load_engine("unfinished")
    with pytest.raises(BrokenEngine, match=r"'moody' is installed \(.*Moody\) but cannot be made: .*not today\. Mend"):
        load_engine("moody")


def test_two_packages_that_offer_one_name(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [EntryPoint("mine", place, registry.GROUP) for place in ("a:A", "b:B", "b:B")]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    with pytest.raises(BrokenEngine, match=r"'mine' must be offered by one package \(got a:A and b:B\)\. Uninstall"):
        load_engine("mine")


def test_where_an_engine_comes_from() -> None:
    assert re.fullmatch(
        r"counterstream [\d.]+, counterstream\.engine\.backends\.torch:TorchEngine", registry.origin("torch")
    )


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        (
            "torch",
            {"dtype": "float23"},
            r"'torch': dtype .*'float23'.*Did you mean 'float32'\? dtypes: float32, float64",
        ),
        ("torch", {"dtype": "float16"}, "dtype must be one that the engine computes in .*'float16'"),
        (
            "torch",
            {"device": "gpu"},
            r"device must be a known one \(got 'gpu'\).*devices: cpu, cuda, cuda:1, auto",
        ),
        (
            "torch",
            {"device": "cuda:99"},
            r"must be one of this machine's \d+ CUDA devices \(got 'cuda:99'\). Use device=",
        ),
        (
            "reference",
            {"device": "cuda"},
            r"'reference': device must be 'cpu' \(got 'cuda'\). Use engine='torch'",
        ),
        ("reference", {"dtype": "bfloat16"}, "'reference': dtype must be"),
    ],
)
def test_dtype_and_device(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(EngineError, match=message):
        load_engine(name, **options)


def test_auto_is_a_device() -> None:
    assert load_engine("torch", device="auto").device.split(":")[0] in ("cpu", "cuda")
    assert load_engine("reference", device="auto").device == "cpu"


@pytest.mark.parametrize("name", ["reference", "torch"])
def test_unknown_noise(name: str) -> None:
    with pytest.raises(EngineError, match=r"known distribution .*'norml'.*Did you mean 'normal'"):
        load_engine(name).noise("norml", (2,), (0,))
