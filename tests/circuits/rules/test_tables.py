"""The closed tables: functions and compartments, and what can be said about an expression without data."""

import math
import subprocess
import sys

import pytest

from counterstream.circuits.rules import (
    COMPARTMENTS,
    ECHO,
    FUNCTIONS,
    RESERVED_WORDS,
    REVERSE,
    Signal,
    bind,
    compartments,
    evaluate,
    parse_rule,
    reads,
    uses_centre,
    vanishes_at_zero,
    visible_signals,
)

X, WEIGHT = Signal("pre", "rate"), Signal("w")


def read(text):
    return parse_rule(text, kind="synapse", parameters=["theta"])


@pytest.mark.parametrize(
    ("name", "oracle"),
    [
        ("relu", lambda x: max(x, 0.0)),
        ("sign", lambda x: 0.0 if x == 0 else math.copysign(1.0, x)),
        ("abs", lambda x: math.sqrt(x * x)),
        ("exp", lambda x: math.e**x),
        ("tanh", lambda x: 1 - 2 / (math.e ** (2 * x) + 1)),
        ("sigmoid", lambda x: 1 / (1 + math.e**-x)),
        ("step", lambda x: float(x > 0)),
        ("sqrt", lambda x: x**0.5),
    ],
)
def test_functions_have_their_values(name, oracle):
    for x in (0.0, 1e-3, 0.5, 1.0, 3.0, *(() if name == "sqrt" else (-0.5, -3.0))):
        assert evaluate(read(f"{name}(pre.rate)"), {X: x}) == pytest.approx(oracle(x), rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("function", [f for f in FUNCTIONS.values() if f.evaluate], ids=lambda f: f.name)
def test_functions_behave_at_the_edges(function):
    assert (function.evaluate(0.0) == 0) == function.zero_at_zero
    assert function.meaning.endswith(".")
    for x in (-1e300, 1e300, math.inf, -math.inf):
        function.evaluate(x)  # never an exception: an infinity or nan at worst
    if function.name not in ("sign", "step"):
        assert math.isnan(function.evaluate(math.nan))


def test_centre_needs_a_batch():
    assert FUNCTIONS["centre"].evaluate is None
    with pytest.raises(ValueError, match="centre needs a batch"):
        evaluate(read("centre(pre.rate)"), {X: 1.0})


def test_every_compartment_is_a_reserved_word():
    for stream in COMPARTMENTS.values():
        assert {compartment.name for compartment in stream} <= RESERVED_WORDS
        assert all(compartment.meaning.endswith(".") for compartment in stream)


def test_compartments_of_populations():
    assert compartments("forward") == ("soma", "rate", "apical")
    assert compartments("forward", normalizes=True) == ("soma", "drive", "rate", "apical")
    assert compartments("feedback") == ("soma", "gated", "rate", "apical")


def test_what_rules_may_name_is_a_compartment_of_some_population():
    forward, feedback = compartments("forward", normalizes=True), compartments("feedback")
    for signal in visible_signals("intrinsic").values():
        assert {"own": forward, "partner": feedback, "w": ("",)}[signal.side].count(signal.compartment) == 1
    for signal in visible_signals("synapse").values():
        own = signal.compartment in forward and signal.compartment in feedback
        assert own or signal in (WEIGHT, REVERSE, ECHO)
    added = visible_signals("synapse", noise=True).keys() - visible_signals("synapse").keys()
    assert added == {"pre.noise", "post.noise"}
    assert visible_signals("intrinsic", noise=True).keys() - visible_signals("intrinsic").keys() == {"noise"}


def test_reads_names_every_signal_even_inside_functions():
    assert reads(read("relu(pre.rate - theta) * post.apical / theta + w")) == {
        X,
        Signal("post", "apical"),
        Signal("w"),
    }


def test_uses_centre_looks_inside():
    assert uses_centre(read("w + relu(centre(post.rate)) * pre.rate"))
    assert not uses_centre(read("w + relu(post.rate) * pre.rate"))


@pytest.mark.parametrize(
    ("text", "vanishes"),
    [
        ("pre.rate", True),
        ("pre.rate**3 * pre.soma", True),
        ("relu(pre.rate - theta)", True),  # theta = 0.5
        ("relu(pre.rate + theta)", False),
        ("exp(pre.rate)", False),
        ("exp(pre.rate) * pre.rate", True),
        ("pre.rate**0", False),
        ("sqrt(pre.rate - theta)", False),  # not a number, and so not zero
        ("centre(pre.rate)", False),
        ("step(pre.rate)", True),
    ],
)
def test_what_padding_leaves_at_zero(text, vanishes):
    assert vanishes_at_zero(bind(read(text), {"theta": 0.5})) is vanishes


def test_powers_overflow_to_infinity_as_tensors_do():
    assert evaluate(read("pre.rate**8"), {X: -1e300}) == math.inf
    assert evaluate(read("pre.rate**7"), {X: -1e300}) == -math.inf


def test_rules_load_no_torch():
    code = (
        "import sys; from counterstream.circuits.rules import normal_form, parse_rule;"
        "normal_form(parse_rule('(w + 1)**2', kind='synapse', parameters=[]), {});"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
