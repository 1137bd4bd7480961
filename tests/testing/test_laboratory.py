"""The laboratory from Python: what can be tried, what comes back, what is refused and how."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import counterstream as cs
from counterstream.testing import LaboratoryError, Outcome, assert_property, try_property, try_rule
from counterstream.testing.laboratory import chosen, reproduced, trials
from counterstream.testing.subject import subject_of

SIGN = "-sign(post.apical) * pre.rate"
FEW = {"examples": 20}


def file(folder: Path, text: str) -> Path:
    path = folder / "rule.yaml"
    path.write_text(text, encoding="utf-8")
    return path


# ---- what can be tried


def test_a_rule_alone_in_a_file(tmp_path: Path) -> None:
    path = file(tmp_path, 'dw: "post.rate * (pre.rate - leak * post.rate * w)"\nparameters: {leak: 2}\n'
                          "claims: {locality, boundedness}\n")  # fmt: skip
    subject = subject_of(path)
    assert subject.name == "rule"
    assert [rule.title for rule in subject.synapses] == [
        "engaged.forward: dw = post.rate * (pre.rate - leak * post.rate * w)"
    ]
    assert chosen(subject, None) == ["locality", "boundedness"]
    assert [outcome.verdict for outcome in try_rule(path, **FEW)] == ["holds", "holds"]


def test_an_equation_as_the_whole_file(tmp_path: Path) -> None:
    assert try_property(file(tmp_path, "post.rate * pre.rate\n"), "locality", **FEW).verdict == "holds"


def test_an_equation_that_reads_an_error_gets_a_feedback_stream() -> None:
    system = subject_of(SIGN).system
    assert system is not None
    assert system.feedback.pathway == "reciprocal"


def test_both_rules_of_a_system_are_tried() -> None:
    outcome = try_property("weight_mirror", "rate_linearity", **FEW)
    assert outcome.tested == ("engaged.forward", "mirror.feedback")
    assert outcome.claimed
    assert try_property("weight_mirror", "locality", rules=["mirror.feedback"], **FEW).tested == ("mirror.feedback",)


def test_a_rule_with_a_modulator() -> None:
    assert try_property("mod.reward * post.rate * pre.rate", "batch_permutation", **FEW).verdict == "holds"
    assert "modulators" in try_property("-mod.reward * post.apical * pre.rate", "descent", **FEW).why


def test_a_function_of_arrays() -> None:
    def oja(pre: Any, post: Any, w: np.ndarray) -> np.ndarray:
        return (post.soma.T @ pre.rate - (post.soma**2).sum(0)[:, None] * w) / len(pre.rate)

    reads = ("pre.rate", "post.soma", "w")
    verdicts = {o.property: o.verdict for o in try_rule(oja, reads=reads, examples=12)}
    assert verdicts["locality"] == verdicts["batch_splitting"] == verdicts["boundedness"] == "holds"
    assert verdicts["fan_in_additivity"] == "fails"
    assert verdicts["same_on_every_engine"] == verdicts["no_transport"] == verdicts["descent"] == "does not apply"


@pytest.mark.parametrize("engine", ["reference", "torch"])
def test_an_engine_computes_what_the_equation_says(engine: str) -> None:
    """Against the equation evaluated synapse by synapse, decay included."""
    subject = subject_of("kolen_pollack", engine=engine)
    random = np.random.default_rng(0)
    for rule in subject.synapses:
        example = subject_situation(random)
        x, y = np.asarray(example.pre["rate"]), np.asarray(example.post["apical"])
        expected = [[-(y[:, j] * x[:, i]).mean() - 1e-4 * example.w[j][i] for i in range(2)] for j in range(3)]
        np.testing.assert_allclose(rule.drive(example), expected, rtol=1e-12)


def subject_situation(random: np.random.Generator) -> Any:
    from counterstream.testing.situation import Situation

    pre, post = random.normal(size=(4, 2)).tolist(), random.normal(size=(4, 3)).tolist()
    return Situation(w=random.normal(size=(3, 2)).tolist(), pre={"rate": pre}, post={"apical": post})


# ---- what comes back


def test_the_same_seed_finds_the_same_and_the_example_can_be_tried_again() -> None:
    first, second = (try_property(SIGN, "fan_in_additivity", seed=7) for _ in range(2))
    assert first == second
    again = reproduced(subject_of(SIGN), first.reproduce)
    assert again.counterexample == first.counterexample
    harmless = json.loads(first.reproduce)
    harmless["example"]["situation"]["pre"]["rate"] = [[0.0]]  # anyone may turn the knobs
    assert reproduced(subject_of(SIGN), json.dumps(harmless)).verdict == "holds"


def test_a_failed_assertion_shows_the_numbers() -> None:
    with pytest.raises(AssertionError) as caught:
        assert_property(SIGN, "fan_in_additivity")
    told = str(caught.value).splitlines()
    assert told[0].startswith("fan_in_additivity fails: dw(x, y + y', w) = dw(x, y, w) + dw(x, y', w) - dw(x, 0, w)")
    assert told[1] == "engaged.forward: dw = -sign(post.apical) * pre.rate"
    numbers = {line.rsplit(None, 1)[0].strip(): line.rsplit(None, 1)[1] for line in told[2:-1]}
    assert numbers == {
        "pre.rate": "1",
        "post.apical": "1",
        "w": "0",
        "more post.apical": "1",
        "dw of the one": "-1",
        "dw of the other": "-1",
        "dw of neither": "0",
        "expected dw of both": "-2",
        "got dw of both": "-1",
    }


def test_what_holds_is_asserted_silently() -> None:
    assert_property("kolen_pollack", "locality", **FEW)


def test_numbers_that_differ_in_their_last_digits_are_told_apart() -> None:
    outcome = try_property("post.rate * pre.rate + 1e-8 * post.rate**2 * pre.rate", "fan_in_additivity")
    assert outcome.counterexample is not None
    expected, got = (line.split()[-1] for line in str(outcome.counterexample).splitlines()[-2:])
    assert expected != got


def test_progress_is_told() -> None:
    told: list[tuple[str, str]] = []
    list(trials(subject_of("kolen_pollack"), ["locality"], examples=4, report=lambda *what: told.append(what)))
    assert told == [("locality", "engaged.forward"), ("locality", "engaged.feedback")]


# ---- what is refused


def again(**changed: Any) -> Outcome:
    """An example of additivity that somebody has changed."""
    whole = json.loads(try_property(SIGN, "fan_in_additivity", examples=8).reproduce)
    whole["example"]["situation"] |= changed
    return reproduced(subject_of(SIGN), json.dumps(whole))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dw: post.rate * pre.rat\n", "rule.yaml:1:17: dw: 'pre.rat': of its two neurons a synapse knows"),
        ("dw: w\nclaims: {localty}\n", "rule.yaml:2:10: claims.localty: unknown key 'localty'. Did you mean"),
        (
            "dw: w\nclaims: {locality: {rules: [engaged.froward]}}\n",
            "rule.yaml:2:29: claims.locality.rules[0]: unknown rule 'engaged.froward'. Did you mean 'engaged.forward'?",
        ),
        (
            "dw: -decay * w\nparameters: {decay: 1}\nclaims:\n  boundedness: {parameters: {deca: 2}}\n",
            "rule.yaml:4:30: claims.boundedness.parameters.deca: unknown parameter 'deca'. Did you mean 'decay'?",
        ),
        (
            "dw: -w\nclaims:\n  fixed_point: {w: pre.rate}\n",
            "rule.yaml:3:3: claims.fixed_point: 'pre.rate' reads pre.rate, which the rule does not read",
        ),
        ("dw: -w\nclaims:\n  fixed_point: {w: 1 +}\n", "rule.yaml:3:3: claims.fixed_point: "),
        ("dw: -w\ndecay: 3\n", "rule.yaml:2:1: decay: unknown key 'decay'."),
        ("name: x\n", "rule.yaml:1:1: modes: no projection learns: there is no rule to test"),
        ("- 1\n", "rule.yaml:1:1: the file must hold a mapping of keys to values (got a list)"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_file_is_named_with_its_place(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(cs.CounterstreamError) as caught:
        try_rule(file(tmp_path, text), **FEW)
    assert str(caught.value).removeprefix(f"{tmp_path}/").startswith(message)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: try_property("backprop", "localty"), "unknown property 'localty'. Did you mean 'locality'?"),
        (lambda: try_property("backprop", "locality", tolerence=1), "tolerence: unknown key 'tolerence'. Did you mean"),
        (lambda: try_rule("backprop", []), "at least one property must be named"),
        (lambda: try_rule("kolen_polack"), "rule: unknown learning system 'kolen_polack'"),
        (lambda: try_rule("backprop", engine="steam"), "engine must be an installed one"),
        (lambda: try_rule("post.rate * y"), "unknown name 'y'"),
        (lambda: try_rule(lambda pre, post, w: 0.0, ["locality"]), "must return an array of w's shape"),
        (lambda: reproduced(subject_of("backprop"), "{"), "takes what a failure printed"),
        (
            lambda: reproduced(subject_of("backprop"), '{"property": "locality", "rule": "x", "example": {}}'),
            "the example of locality does not fit: situation: Field required",
        ),
        (lambda: again(w=[[0.0, 1.0]]), "situation: Value error, pre.rate must have 1 rows of 2 numbers"),
        (lambda: again(w=[]), "situation: Value error, there must be a sample, and a neuron on either side"),
        (lambda: again(w=[["x"]]), "situation.w.0.0: Input should be a valid number"),
        (lambda: again(post={}), "input 'post.apical' must be supplied"),
    ],
)
def test_what_cannot_be_tried_is_refused(act: Any, message: str) -> None:
    with pytest.raises(cs.CounterstreamError) as caught:
        act()
    assert message in str(caught.value)


def test_a_rule_that_changes_its_mind_is_refused() -> None:
    calls = iter(range(10_000))

    def moody(pre: Any, post: Any, w: np.ndarray) -> np.ndarray:
        return w + (next(calls) == 4)

    with pytest.raises(LaboratoryError, match="must give the same dw for the same numbers"):
        try_property(moody, "batch_permutation")


def test_without_hypothesis_there_is_an_error_that_says_what_to_install() -> None:
    hidden = "import sys; sys.modules['hypothesis'] = None; import counterstream.testing as t; t.PROPERTIES"
    done = subprocess.run([sys.executable, "-c", hidden], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith("which is not installed: pip install 'counterstream[testing]'"), (
        done.stderr
    )
