"""The sum of separable terms that a rule comes to, and what stands in the way of one."""

import math
import time

import pytest

from counterstream.circuits.errors import CircuitError
from counterstream.circuits.rules import Term, normal_form, parse_rule, split_decay, term_text, to_text

PARAMETERS = {"decay": 1e-3, "r": 0.1, "variance": 2.0, "slope": 0.5, "theta": 0.25}


def terms_of(text, parameters=None, kind="synapse"):
    parameters = PARAMETERS if parameters is None else parameters
    expression = parse_rule(text, kind=kind, parameters=PARAMETERS, modulators=["reward"], noise=kind == "synapse")
    return normal_form(expression, parameters, kind=kind)


@pytest.mark.parametrize(
    ("text", "terms", "decay"),
    [
        (
            "-post.apical * pre.rate - decay * w",
            ["-post.apical * pre.rate"],
            1e-3,
        ),  # forward, all five systems
        ("-pre.rate * post.apical - decay * w", ["-post.apical * pre.rate"], 1e-3),  # Kolen-Pollack, feedback
        (
            "r * (post.rate * pre.rate / (variance * slope) - w)",
            ["0.1 * post.rate * pre.rate"],
            0.1,
        ),  # mirror
        (
            "post.rate * pre.rate - post.rate**2 * w",
            ["post.rate * pre.rate", "-post.rate**2 * w"],
            0.0,
        ),  # Oja
        (
            "pre.rate * post.rate * (post.rate - theta)",  # BCM
            ["-0.25 * post.rate * pre.rate", "post.rate**2 * pre.rate"],
            0.0,
        ),
        ("mod.reward * pre.rate * post.noise", ["mod.reward * post.noise * pre.rate"], 0.0),
        ("pre.rate * post.rate - theta * sign(w)", ["post.rate * pre.rate", "-0.25 * sign(w)"], 0.0),
        ("relu(pre.rate - theta) * centre(post.rate)", ["centre(post.rate) * relu(pre.rate - 0.25)"], 0.0),
    ],
)
def test_known_rules(text, terms, decay):
    found, coefficient = split_decay(terms_of(text))
    assert [term_text(term) for term in found] == terms
    assert coefficient == decay


def test_each_side_holds_its_own_factors():
    (term,) = terms_of("3 * relu(pre.soma) * pre.rate**2 * tanh(post.rate) * w**2 * mod.reward / 4")
    assert term.coefficient == 0.75
    assert to_text(term.pre) == "pre.rate**2 * relu(pre.soma)"
    assert to_text(term.post) == "tanh(post.rate)"
    assert to_text(term.weight) == "w**2"
    assert to_text(term.modulator) == "mod.reward"


def test_intrinsic_signals_stand_in_post():
    (term,) = terms_of("-partner.gated * drive", kind="intrinsic")
    assert term == Term(-1.0, post=term.post)
    assert to_text(term.post) == "drive * partner.gated"
    drive, decay = split_decay(terms_of("-partner.gated - decay * w", kind="intrinsic"))
    assert ([term_text(term) for term in drive], decay) == (["-partner.gated"], 1e-3)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("pre.rate * post.rate - post.rate * pre.rate", 0),
        ("0 * w", 0),
        ("centre(pre.rate**0) * w", 0),
        ("relu(pre.rate**0 - 1) * w", 0),
        ("(0.1 + 0.2 - 0.3) * w", 0),
        ("relu(pre.rate + theta) - relu(theta + pre.rate)", 0),
        ("relu(2 * pre.rate * theta) - relu(pre.rate * 0.5)", 0),
        ("w + w + 2 * w", 1),
        ("theta", 1),
        ("exp(theta) * tanh(1) * sigmoid(r)", 1),
        ("(pre.rate + post.rate)**2 - (pre.rate - post.rate)**2", 1),
        ("pre.rate**0", 1),
    ],
)
def test_like_terms_merge_and_zero_terms_go(text, count):
    assert len(terms_of(text)) == count


def test_the_order_does_not_depend_on_the_writing():
    assert terms_of("post.rate * pre.rate - decay * w + w**2") == terms_of("w**2 - w * decay + pre.rate * post.rate")


def test_functions_of_parameters_are_numbers():
    (term,) = terms_of("exp(-theta) * pre.rate / sqrt(variance)")
    assert term.coefficient == pytest.approx(math.exp(-0.25) / math.sqrt(2), rel=1e-15)


@pytest.mark.parametrize("text", ["decay * w", "r * w - theta * w", "w * pre.rate**0", "2 * w / variance"])
def test_every_linear_term_in_w_is_decay(text):
    drive, decay = split_decay(terms_of(text))
    assert drive == ()
    assert decay != 0


@pytest.mark.parametrize("text", ["w**2", "sign(w)", "mod.reward * w", "pre.rate * w", "post.rate**2 * w", "theta"])
def test_nothing_else_is_decay(text):
    terms = terms_of(text)
    assert split_decay(terms) == (terms, 0.0)


@pytest.mark.parametrize(
    ("text", "parameters", "message"),
    [
        (
            "w * decay",
            {"decai": 1.0},
            r"the rule 'w \* decay' needs the parameter 'decay'. Did you mean 'decai'\?",
        ),
        ("w * decay", {}, "needs the parameter 'decay'. there are none"),
        ("w * decay", {"decay": math.nan}, r"the parameter 'decay' must be a finite number \(got nan\)"),
        ("w * decay", {"decay": math.inf}, r"the parameter 'decay' must be a finite number \(got inf\)"),
        ("w * decay", {"decay": "high"}, r"the parameter 'decay' must be a finite number \(got 'high'\)"),
        ("w * decay", {"decay": True}, r"the parameter 'decay' must be a finite number \(got True\)"),
        ("w / variance", {"variance": 0.0}, "division by 'variance', which is zero"),
        (
            "relu(w / (variance - slope))",
            {"variance": 1, "slope": 1},
            "division by 'variance - slope', which is zero",
        ),
        ("w * exp(theta)", {"theta": 1e4}, r"'exp\(10000\)' is inf, not a finite number"),
        ("w * sqrt(-theta)", {"theta": 1.0}, r"'sqrt\(-1\)' is nan, not a finite number"),
        ("w * theta**8", {"theta": 1e100}, r"a constant of 'w \* theta\*\*8' is too large for a float"),
        ("(theta * w)**8", {"theta": 1e100}, "a coefficient of the rule is out of range: at most 1e38"),
        ("relu(theta**8)", {"theta": 1e100}, "is inf, not a finite number"),
        ("relu(w + theta**8)", {"theta": 1e100}, "too large for a float"),
    ],
)
def test_parameters_that_will_not_do(text, parameters, message):
    with pytest.raises(CircuitError, match=message):
        terms_of(text, parameters)


def test_every_missing_parameter_is_named_at_once():
    with pytest.raises(CircuitError) as caught:
        terms_of("decay * w + theta", {"r": 1.0})
    assert [problem.message.split("'")[3] for problem in caught.value.problems] == ["decay", "theta"]


@pytest.mark.parametrize(
    "text",
    [
        "(pre.rate + post.rate + w + 1)**8",
        "((pre.rate + post.rate + w + 1)**2)**4",
        "(pre.rate + post.rate + w + 1) * (pre.soma + post.soma + w + 2) * (pre.apical + post.apical + 3)**2",
        "(pre.rate + 1)**8 * (post.rate + 1)**8 * (w + 1)**8 * (pre.soma + 1)**8",
    ],
)
def test_more_than_64_terms_are_refused_before_they_are_made(text):
    start = time.perf_counter()
    with pytest.raises(CircuitError, match="expands to more than 64 terms"):
        terms_of(text)
    assert time.perf_counter() - start < 1.0


def test_64_terms_are_allowed():
    assert len(terms_of("(pre.rate + 1)**7 * (post.rate + 1)**7")) == 64


def test_a_typical_rule_takes_milliseconds():
    terms_of("w")
    rule = parse_rule("r * (post.rate * pre.rate / (variance * slope) - w)", kind="synapse", parameters=PARAMETERS)
    start = time.perf_counter()
    for i in range(100):  # a different value each time, so nothing is remembered
        normal_form(rule, {**PARAMETERS, "r": 0.1 + i})
    assert time.perf_counter() - start < 0.5
