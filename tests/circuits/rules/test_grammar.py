"""What a rule's text may say, what it may not, and what the user reads then."""

import re
import sys
import time
from fractions import Fraction

import pytest

from counterstream.circuits.errors import CircuitError, Location
from counterstream.circuits.rules import (
    FUNCTIONS,
    RESERVED_WORDS,
    Call,
    Number,
    Parameter,
    Power,
    Product,
    Signal,
    Sum,
    parse_rule,
    to_text,
)

PARAMETERS = ("decay", "r", "variance", "slope", "theta")
PRE, POST, W = Signal("pre", "rate"), Signal("post", "rate"), Signal("w")


def read(text, kind="synapse", **options):
    return parse_rule(text, kind=kind, parameters=PARAMETERS, **options)


def refusal(text, **options):
    with pytest.raises(CircuitError) as caught:
        read(text, **options)
    return caught.value


def number(value):
    return Number(Fraction(value))


@pytest.fixture(scope="module")
def audit_log():
    """What the interpreter reports while `listening`; one hook, as the interpreter never drops one."""
    log = {"listening": False, "events": []}
    sys.addaudithook(lambda event, _: log["listening"] and log["events"].append(event))
    return log


def test_a_rule_becomes_the_tree_that_was_written():
    assert read("-post.apical * pre.rate - decay * w") == Sum(
        (
            Product((number(-1), Signal("post", "apical"), PRE)),
            Product((number(-1), Parameter("decay"), W)),
        )
    )
    assert read("post.rate**2 / (variance * slope)") == Product(
        (Power(POST, 2), Power(Product((Parameter("variance"), Parameter("slope"))), -1))
    )
    assert read("relu(pre.rate - theta)") == Call("relu", Sum((PRE, Product((number(-1), Parameter("theta"))))))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", Fraction(1, 1000)),
        ("0.1", Fraction(1, 10)),
        ("3", 3),
        (".5", Fraction(1, 2)),
        ("2.", 2),
        ("0e99", 0),
    ],
)
def test_numbers_are_the_exact_rationals_of_their_text(text, value):
    assert read(text) == Number(Fraction(value))


@pytest.mark.parametrize("text", ["w", " w", "w\n", "\tw ", "(w)", "+w", "--w", "w**1", "1 * w"])
def test_spaces_parentheses_and_plus_signs_mean_nothing(text):
    assert read(text) == W


def test_a_folded_rule_is_one_rule():
    assert read("\n  post.rate * pre.rate\n  - decay * w\n") == read("post.rate * pre.rate - decay * w")


def test_a_modulator_and_noise_are_there_where_declared():
    rule = read("mod.reward * pre.rate * post.noise", modulators=["reward"], noise=True)
    assert rule == Product((Signal("mod", "reward"), PRE, Signal("post", "noise")))


def test_intrinsic_rules_name_their_own_neuron_and_its_partner():
    assert read("-partner.gated * drive", kind="intrinsic") == Product(
        (number(-1), Signal("partner", "gated"), Signal("own", "drive"))
    )
    assert read("tanh(partner.rate * rate) - decay * w", kind="intrinsic")


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        (
            "v2.rate * pre.rate",
            12,
            "'v2.rate': a synapse sees only pre, post and its own w; reading another population is not local",
        ),
        (
            "w * pre.rat",
            16,
            "'pre.rat': of its two neurons a synapse knows rate, soma, apical. Did you mean 'pre.rate'?",
        ),
        ("pre.gated * w", 12, "'pre.gated': of its two neurons a synapse knows rate, soma, apical."),
        ("pre * w", 12, "'pre': of its two neurons a synapse knows rate, soma, apical."),
        ("pre.noise", 12, "'pre.noise': noise is there only in a mode that injects it."),
        (
            "w - decai * w",
            16,
            "unknown name 'decai'. Did you mean 'decay'? valid names: pre.rate, pre.soma, pre.apical",
        ),
        ("mod.reward * w", 12, "unknown modulator 'mod.reward'."),
        ("w * relo(w)", 16, "unknown function 'relo'. Did you mean 'relu'? functions: relu, sign, abs, exp"),
        ("w + relu", 16, "'relu': relu is a function and needs an argument, relu(...)."),
        ("relu(w, w)", 12, "'relu(w, w)': relu takes exactly one argument"),
        ("relu()", 12, "'relu()': relu takes exactly one argument"),
        ("relu(*w)", 12, "'relu(*w)': relu takes exactly one argument"),
        ("relu(**w)", 12, "'relu(**w)': relu takes exactly one argument"),
        ("w + pre.rate.real", 16, "'pre.rate.real' is no name; names have the form pre.rate"),
        ("w(pre.rate)", 12, "unknown function 'w'."),
        ("w // 2", 12, "'w // 2': rules know + - * / and **, no other operator"),
        ("w, w", 12, "'w, w' is nothing that a rule may hold"),
        ("...", 12, "'...' is nothing that a rule may hold"),
        ("w w", 14, "'w w' is no equation: an operator or a name is missing"),
        ("w + lambda * w", 16, "'lambda' is a word of Python and cannot be a name in a rule"),
        ("w if w else w", 14, "'if' is a word of Python"),
        ("True * w", 12, "'True' is a word of Python"),
        ("w < 1", 14, "'<' has no meaning in a rule: rules know no comparisons (in 'w < 1')"),
        ("w[0]", 13, "'[' has no meaning in a rule: rules know no subscripts"),
        ("w ^ 2", 14, "'^' has no meaning in a rule: a power is written **"),
        ("dw = w", 15, "'=' has no meaning in a rule: a rule is the value of dw, without a left-hand side"),
        ("(w := 1)", 15, "':' has no meaning in a rule"),
        ("w @ w", 14, "'@' has no meaning in a rule (in 'w @ w')"),
        ("'w'", 12, '"\'" has no meaning in a rule: rules know no strings'),
        ("w # decay", 14, "'#' has no meaning in a rule"),
        ("w\x00", 13, "'\\x00' has no meaning in a rule"),
        ("prе.rate", 14, "'е' (CYRILLIC SMALL LETTER IE) is not ASCII"),
        ("(w", 12, "'(' is never closed"),
        ("w)", 13, "')' closes no parenthesis"),
        ("1_000 * w", 12, "'1_000' is no number; numbers are written 3, 0.5, 1e-3"),
        ("w * 0x1f", 16, "'0x1f' is no number"),
        ("007 * w", 12, "'007' is no number"),
        ("2j * w", 12, "'2j' is no number"),
        ("w * 1e400", 16, "the number 1e400 is out of range: between 1e-38 and 1e38, or 0"),
        ("1e-99999999999999999999", 12, "the number 1e-99999999999999999999 is out of range"),
        ("nan * w", 12, "unknown name 'nan'."),
        ("inf * w", 12, "unknown name 'inf'."),
        ("", 12, "the rule is empty; a synapse that does not learn has no rule"),
        ("   ", 12, "the rule is empty"),
    ],
)
def test_refused_by_name_with_its_column(text, column, message):
    error = refusal(text, location=Location("rule.yaml", 3, 12), path="modes.engaged.forward")
    assert len(error.problems) == 1
    assert str(error).startswith(f"rule.yaml:3:{column}: modes.engaged.forward: {message}")


@pytest.mark.parametrize("text", ["pre.rate", "soma.rate", "v1.soma", "partner.apical", "own.rate", "post.rate"])
def test_an_intrinsic_rule_sees_its_neuron_and_the_partner_only(text):
    message = f"'{text}': a gain or bias sees only its own neuron and that neuron's partner. "
    assert message in str(refusal(text, kind="intrinsic"))
    with pytest.raises(CircuitError, match=r"valid names: soma, drive, rate, apical, partner\.soma"):
        read(text, kind="intrinsic")


@pytest.mark.parametrize(
    ("text", "sides"),
    [
        ("relu(pre.rate * post.rate)", "pre and post"),
        ("tanh(w * post.rate)", "post and w"),
        ("exp(pre.rate + post.rate + w)", "pre and post and w"),
        ("abs(mod.reward * pre.rate)", "pre and mod"),
        ("relu(tanh(pre.rate) - tanh(post.rate))", "pre and post"),
        ("centre(pre.rate * post.rate)", "pre and post"),
    ],
)
def test_a_function_of_two_sides_is_refused_by_name(text, sides):
    error = refusal(f"w + {text}", modulators=["reward"], location=Location("rule.yaml", 7, 5))
    assert len(error.problems) == 1
    assert str(error).startswith(f"rule.yaml:7:9: {text} mixes {sides}: a function takes things of one side only")


def test_a_gain_and_its_signals_are_two_sides():
    with pytest.raises(CircuitError, match=re.escape("relu(w * rate) mixes own and w")):
        read("relu(w * rate)", kind="intrinsic")


@pytest.mark.parametrize("text", ["centre(w)", "centre(theta)", "centre(1)", "centre(mod.reward)"])
def test_only_signals_of_pre_or_post_have_a_mean(text):
    error = refusal(text, modulators=["reward"])
    assert f"{text}: centre takes a signal of pre or of post" in str(error)
    with pytest.raises(CircuitError, match="centre takes a signal of pre or of post"):
        read("centre(rate)", kind="intrinsic")


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        (
            "pre.rate * post.rate / pre.rate",
            24,
            "division by 'pre.rate', which holds pre.rate: a signal may be zero",
        ),
        ("w / (w + variance)", 6, "division by 'w + variance', which holds w"),
        ("1 / exp(pre.rate)", 5, "division by 'exp(pre.rate)', which holds pre.rate"),
        ("pre.rate**-1", 1, "division by 'pre.rate', which holds pre.rate"),
        ("w / 0", 5, "division by '0', which is zero"),
        ("w / (0.1 + 0.2 - 0.3)", 6, "division by '0.1 + 0.2 - 0.3', which is zero"),
        ("0**-1", 1, "division by '0', which is zero"),
        ("w / (1 / 0)", 10, "division by '0', which is zero"),
        ("w**decay", 4, "the exponent 'decay' must be a whole number up to 8"),
        ("w**0.5", 4, "the exponent '0.5' must be a whole number up to 8"),
        ("w**9", 1, "the exponent of 'w**9' exceeds 8"),
        ("(w**4)**4", 1, "the exponent of '(w**4)**4' exceeds 8 (exponents of powers multiply)"),
    ],
)
def test_denominators_and_exponents_are_checked_as_written(text, column, message):
    error = refusal(text, location=Location("rule.yaml", 1, 1))
    assert str(error).startswith(f"rule.yaml:1:{column}: {message}")
    assert len(error.problems) == 1


@pytest.mark.parametrize("text", ["w *", "* w", "w + (", "()", "w relu(w)", "pre..rate", "pre.", "w + * w"])
def test_an_unfinished_rule_is_shown(text):
    assert re.search("is no equation: an operator or a name is missing|never closed|may hold", str(refusal(text)))


def test_all_wrong_names_are_reported_at_once_in_their_order():
    error = refusal("pre.rat * v2.rate + relo(w) - decai", location=Location("rule.yaml", 2, 10))
    assert [problem.location.column for problem in error.problems] == [10, 20, 30, 40]
    assert [re.search("'(.*?)'", problem.message)[1] for problem in error.problems] == [
        "pre.rat",
        "v2.rate",
        "relo",
        "decai",
    ]


def test_a_wrong_name_inside_centre_is_the_only_problem():
    assert len(refusal("centre(pre.rat)").problems) == 1


def test_without_a_column_the_message_says_where():
    assert str(refusal("w * v")).endswith("(at character 5 of the rule)")
    folded = refusal("w\n * v", location=Location("rule.yaml", 4, 3))
    assert folded.problems[0].location == Location("rule.yaml", 4, 3)
    assert str(folded).endswith("(at character 6 of the rule)")


@pytest.mark.parametrize("name", sorted({*RESERVED_WORDS, *FUNCTIONS}))
def test_a_parameter_cannot_bear_a_reserved_word(name):
    with pytest.raises(CircuitError, match=f"the parameter '{name}' bears a reserved word; choose another name"):
        parse_rule("pre.rate * w", kind="synapse", parameters=[name])


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('x')",
        "__import__(os)",
        "().__class__",
        "().__class__.__bases__",
        "pre.__class__",
        "(lambda: w)()",
        "[w for w in w]",
        "f(w)(w)",
        "relu.__globals__",
        "exec(w)",
        "print(w)",
        "w.rate()",
    ],
)
def test_nothing_is_called_imported_or_looked_up(text, audit_log):
    audit_log.update(listening=True, events=[])
    error = refusal(text)
    audit_log["listening"] = False
    assert error.problems
    assert not {"import", "exec", "open", "os.system"} & set(audit_log["events"])


@pytest.mark.parametrize(
    "text",
    [
        "(pre.rate + post.rate + w + 1)**40",
        "(" * 10_000 + "w" + ")" * 10_000,
        "(" * 900 + "w" + ")" * 900,
        "(" * 10_000,
        "-" * 1999 + "w",
        "w + " * 400 + "w",
        "w**" * 600 + "w",
        "relu(" * 300 + "w" + ")" * 300,
        "w.w" + ".w" * 900,
        "1" * 1999,
        "1e" + "9" * 1000,
        "((((w + 1)**8)**8)**8)**8",
        "w * " * 499 + "w",
    ],
)
def test_a_rule_built_to_exhaust_is_refused_at_once(text):
    start = time.perf_counter()
    assert refusal(text).problems
    assert time.perf_counter() - start < 1.0


def test_a_sum_of_64_terms_is_not_too_large():
    text = " + ".join(f"w**{1 + i % 8}" for i in range(64))
    assert to_text(read(text)) == text.replace("**1", "")
