"""Circuits built in Python: equal to those of files, and checked as they are."""

from typing import Any

import pytest

import counterstream as cs
from counterstream.circuits.declarations import LearningSystem
from counterstream.circuits.expansion import compact
from counterstream.circuits.wiring import Conv, Dense, Flatten, Pool
from counterstream.models import load_learning
from counterstream.models.builder import Builder

FILE = """
name: net
description: A small one.
populations:
  image: {input: [1, 8, 8]}
  v1: {normalize: {batch: {momentum: 0.2}}, transfer: relu}
  pooled: {}
  flat: {}
  digit: {transfer: softmax, initial_bias: 0.5}
projections:
  - {from: image, to: v1, wiring: {conv: {channels: 4, kernel: [3, 1]}}, initial: {normal: {deviation: 0.1}}}
  - {from: v1, to: pooled, wiring: {pool: {kind: max, size: 2}}}
  - {name: flatten, from: pooled, to: flat, wiring: flatten}
  - {from: flat, to: digit, wiring: {dense: {size: 10}}, parameters: {decay: 0.5}, plastic: false}
learning: kolen_pollack
"""


def small(flat: Any = "flatten") -> Builder:
    net = Builder("net", "A small one.")
    image = net.input("image", [1, 8, 8])
    v1 = net.population("v1", normalize={"batch": {"momentum": 0.2}}, transfer="relu")
    pooled = net.population("pooled")
    row = net.population("flat")
    digit = net.population("digit", transfer="softmax", initial_bias=0.5)
    net.project(image, v1, Conv(channels=4, kernel=(3, 1)), initial={"normal": {"deviation": 0.1}})
    net.project(v1, pooled, Pool(kind="max", size=2))
    net.project(pooled, row, flat, name="flatten")
    net.project(row, digit, {"dense": {"size": 10}}, parameters={"decay": 0.5}, plastic=False)
    return net


@pytest.mark.parametrize("flat", ["flatten", {"flatten": {}}, Flatten()])
def test_a_built_circuit_equals_the_loaded_one(flat: Any) -> None:
    loaded = cs.loads(FILE)
    built = small(flat=flat).circuit("kolen_pollack")
    assert built == loaded == compact(loaded)
    assert cs.dump(built) == cs.dump(loaded)
    assert cs.expand(built) == cs.expand(loaded)


def test_the_names_come_back() -> None:
    net = Builder("net")
    assert net.input("x", [3]) == "x"
    assert net.population("y", transfer="softmax") == "y"
    assert net.project("x", "y", Dense(size=2)) == "x->y"
    assert net.project("x", "y", Dense(size=2), name="second") == "second"
    assert [p.label for p in net.circuit().projections] == ["x->y", "second"]


def test_learning_is_a_name_a_path_a_system_or_none(tmp_path: Any) -> None:
    system = load_learning("weight_mirror")
    (tmp_path / "mine.yaml").write_text(cs.dump(system))
    assert small().circuit("weight_mirror").learning == system
    assert small().circuit(tmp_path / "mine.yaml").learning == system
    assert small().circuit(system).learning == system
    net = Builder("bare")
    net.project(net.input("x", [3]), net.population("y"), Dense(size=2))
    assert net.circuit(None).learning is None


def test_what_was_built_stays_as_it_was() -> None:
    net = small()
    before = net.circuit()
    text = cs.dump(before)
    net.population("more")
    net.project("flat", "more", "one_to_one")
    assert cs.dump(before) == text
    assert "more" in net.circuit().populations


def test_a_projection_may_come_before_its_ends() -> None:
    net = Builder("net")
    net.project("x", "y", Dense(size=2))
    net.population("y", transfer="softmax")
    net.input("x", [3])
    assert cs.expand(net.circuit()).populations["y"].shape == (2,)


# ---- what is wrong


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            lambda net: net.population("v2", transfr="relu"),
            r"net: populations\.v2\.transfr: unknown key 'transfr'",
        ),
        (lambda net: net.population("v1"), r"populations\.v1: two populations must not share the name 'v1'"),
        (lambda net: net.input("x", [1, 2]), r"populations\.x\.input: a shape is a number of neurons, or \[channels"),
        (
            lambda net: net.project("v1", "flat", {"dens": {}}),
            r"projections\.v1->flat\.wiring: must name exactly",
        ),
        (lambda net: net.project("v1", "flat", {"conv": {"channels": 3}}), r"\.wiring\.conv: 'kernel' must be given"),
        (lambda net: net.project("flat", "digit", "one_to_one"), r"projections\.flat->digit: .* name parallel ones"),
    ],
)
def test_a_wrong_declaration_is_refused_where_it_is_added(wrong: Any, message: str) -> None:
    net = small()
    with pytest.raises(cs.CircuitError, match=message):
        wrong(net)
    assert net.circuit("kolen_pollack") == cs.loads(FILE)  # nothing of it remains


def test_all_problems_of_the_whole_are_named() -> None:
    net = small()
    net.population("top", transfer="rellu")
    net.project("v1", "topp", "one_to_one", name="skip")
    with pytest.raises(cs.CircuitError) as caught:
        net.circuit()
    message = str(caught.value)
    assert "net: populations.top.transfer: unknown transfer function 'rellu'. Did you mean 'relu'?" in message
    assert "net: projections.skip.to: unknown population 'topp'. Did you mean 'top'?" in message


def test_shapes_are_checked_by_projection() -> None:
    net = small()
    net.project("flat", "elsewhere", Conv(kernel=3, channels=2), name="stray")
    net.population("elsewhere")
    with pytest.raises(cs.CircuitError, match=r"net: projections\.stray.*conv needs a source of shape"):
        net.circuit()


def test_learning_systems_are_checked() -> None:
    with pytest.raises(cs.CircuitError, match=r"net: learning: unknown learning system 'kolen_polack'.*kolen_pollack"):
        small().circuit("kolen_polack")
    strange = LearningSystem(modes={"engaged": {"forward": "-post.apical * pre.rat - decay * w"}})
    with pytest.raises(cs.CircuitError, match=r"learning\.modes\.engaged\.forward: 'pre\.rat'"):
        small().circuit(strange)


def test_parameters_that_no_rule_reads_are_refused() -> None:
    net = small()
    net.project("flat", "digit", Dense(size=10), name="second", parameters={"dekay": 1.0})
    with pytest.raises(cs.CircuitError, match="dekay"):
        net.circuit("kolen_pollack")
