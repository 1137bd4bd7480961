"""Arithmetic in circuit files: `$name` and `$(expression)`."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import counterstream as cs
from counterstream.circuits.arithmetic import ArithmeticFault, is_reference, names_in, substitute

SCOPE = {"width": 0.25, "depths": [2, 3], "k": 3, "block": "basic", "flag": True}


@pytest.mark.parametrize(
    ("reference", "value"),
    [
        ("$k", 3),
        ("$block", "basic"),
        ("$depths", [2, 3]),
        ("$(k)", 3),
        ("$(64 * width)", 16),
        ("$(depths[1])", 3),
        ("$(depths[0] * k - 1)", 5),
        ("$(-k + 7 // 2 % 2)", -2),
        ("$(1 / 4)", 0.25),
        ("$(round(10.4 * width))", 3),
        ("$(max(k, 2, 9) - min(k, 4))", 6),
        ("$( (1 + k) * 2 )", 8),
    ],
)
def test_values(reference: str, value: Any) -> None:
    assert is_reference(reference)
    found = substitute(reference, SCOPE)
    assert found == value
    assert type(found) is type(value)  # whole results are whole numbers


@pytest.mark.parametrize(
    ("reference", "left"),
    [
        ("$other", "$other"),
        ("$(2 * other)", "$((2 * other))"),
        ("$(k * (other - width))", "$((3 * (other - 0.25)))"),
        ("$(round(other * width) + list[1])", "$((round((other * 0.25)) + list[1]))"),
        ("$(-other)", "$(-other)"),
    ],
)
def test_names_out_of_scope_stay(reference: str, left: str) -> None:
    assert substitute(reference, SCOPE) == left
    found = {"other": 8, "list": [0, 5]}
    assert substitute(left, found) == substitute(reference, {**SCOPE, **found})


def test_names_are_those_of_values() -> None:
    assert names_in("$(round(a * b) + c[0] - a)") == ["a", "b", "c"]
    assert names_in("$a") == ["a"]


@pytest.mark.parametrize("text", ["$", "$$k", "k", "$ k", "5", "$1", "US$(3)", "$[k]"])
def test_other_texts_are_no_references(text: str) -> None:
    assert not is_reference(text)


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("k ** 2", "an expression holds numbers, names"),
        ("__import__('os')", "an expression holds numbers, names"),
        ("k.real", "an expression holds numbers, names"),
        ("print(k)", "an expression holds numbers, names"),
        ("lambda: 1", "an expression holds numbers, names"),
        ("[1][0]", "an expression holds numbers, names"),
        ("'a' * 9", "an expression holds numbers, names"),
        ("depths[k]", "an expression holds numbers, names"),
        ("round()", "an expression holds numbers, names"),
        ("k +", "an expression holds numbers, names"),
        ("1 << 4000", "an expression holds numbers, names"),
        ("depths[2]", r"'depths' must be a list with an entry 2, counted from 0 \(got \[2, 3\]\)"),
        ("k[0]", "'k' must be a list with an entry 0"),
        ("depths * 2", "'depths' must be a number to be reckoned with"),
        ("2 * block", r"'block' must be a number to be reckoned with \(got 'basic'\)"),
        ("flag + 1", "'flag' must be a number to be reckoned with"),
        ("k / 0", "cannot be worked out: division by zero"),
        ("k % 0", "cannot be worked out"),
        ("1e308 * 10", "the result must be a finite number"),
        ("round(1e308 * 10)", "cannot be worked out"),
        ("max(k)", r"min and max take two or more \(got max\(k\)\)"),
        ("min(depths)", "min and max take two or more"),
        ("round(k, 1)", "round takes one number"),
        ("depths[True]", "an expression holds numbers, names"),
        ("999999999 * 999999999", r"the result must be a finite number of at most 1e\+15"),
        ("1 + " * 60 + "1", "an expression has at most 200 characters"),
    ],
)
def test_faults(expression: str, why: str) -> None:
    with pytest.raises(ArithmeticFault, match=why):
        substitute(f"$({expression})", SCOPE)


@given(st.text(max_size=60))
def test_any_text_is_worked_out_or_a_fault(text: str) -> None:
    reference = f"$({text})"
    try:
        value = substitute(reference, SCOPE)
    except ArithmeticFault:
        return
    assert isinstance(value, int | float | str)


@given(st.integers(-50, 50), st.floats(-9, 9), st.sampled_from(["+", "-", "*"]), st.sampled_from(["+", "-", "*"]))
def test_agrees_with_python(a: int, b: float, first: str, second: str) -> None:
    found = substitute(f"$((a {first} b) {second} a)", {"a": a, "b": b})
    operators = {"+": lambda x, y: x + y, "-": lambda x, y: x - y, "*": lambda x, y: x * y}
    assert found == operators[second](operators[first](a, b), a)


NET = """
options: {{width: 1, maps: $(8 * width), deep: [1, 2], first: 3}}
variants:
  narrow: {{width: 0.5}}
  deeper: {{deep: [4, 2], first: 5}}
blocks:
  one:
    parameters: {{channels: 4, twice: $(2 * channels)}}
    ports: {{out: b}}
    populations: {{a: {{}}, b: {{}}}}
    projections:
      - {{from: in, to: a, wiring: {{conv: {{channels: $twice, kernel: 1}}}}}}
      - {{from: a, to: b, wiring: {{conv: {{channels: $(channels + first), kernel: 1}}}}}}
populations: {{x: {{input: [1, 2, 2]}}, y: {{transfer: softmax}}}}
stages:
  - {{name: s, from: x, block: one, repeat: "$(deep[0])", with: {{channels: {channels}}}}}
projections: [{{from: s, to: y, wiring: {{dense: {{size: 2}}}}}}]
learning: backprop
"""


def shapes(circuit: cs.Circuit) -> dict[str, int]:
    return {name: population.shape[0] for name, population in cs.expand(circuit).populations.items() if "." in name}


def test_options_are_reckoned_from_options_and_parameters_from_parameters() -> None:
    found = shapes(cs.loads(NET.format(channels="$maps")))
    assert (found["s.block1.a"], found["s.block1.b"]) == (16, 11)
    found = shapes(cs.loads(NET.format(channels="$maps"), options={"width": 0.25}))
    assert (found["s.block1.a"], found["s.block1.b"]) == (4, 5)


def test_variants_set_options_and_name_the_circuit(tmp_path: Any) -> None:
    (tmp_path / "net.yaml").write_text(NET.format(channels="$maps"))
    deeper = cs.load(f"{tmp_path}/net.yaml:deeper")
    assert deeper.name == "deeper"
    assert deeper.variants == deeper.options == {}
    assert {name: size for name, size in shapes(deeper).items() if name.endswith(".b")} == {
        f"s.block{n}.b": 13 for n in range(1, 5)
    }
    narrow = cs.load(f"{tmp_path}/net.yaml:narrow", options={"first": 1})
    assert shapes(narrow)["s.block1.b"] == 5
    with pytest.raises(cs.CircuitError, match=r"unknown variant 'narow'. Did you mean 'narrow'\? variants: narrow"):
        cs.load(f"{tmp_path}/net.yaml:narow")


@pytest.mark.parametrize(
    ("name", "variant"),
    [(name, f"resnet:{name}") for name in ("resnet18", "resnet152")] + [("resnet50_v2", "resnet_v2:resnet50_v2")],
)
def test_variants_of_stock_files_are_stock_circuits(name: str, variant: str) -> None:
    assert cs.load(name) == cs.load(variant)
    assert cs.load(name).name == name


def test_an_unknown_name_suggests_variants() -> None:
    with pytest.raises(cs.CircuitError, match="Did you mean 'resnet50'"):
        cs.load("resnet5O")
