"""What the stock systems claim, tried; and that a claim says what it means."""

import re

import pytest

import counterstream as cs
from counterstream.circuits.declarations import ClaimOfRules, Claims
from counterstream.circuits.declarations.claims import PROPERTIES as TABLE
from counterstream.circuits.validation import build
from counterstream.circuits.yamlfile import read
from counterstream.models import load_learning, stock_learning
from counterstream.testing import PROPERTIES, LaboratoryError, assert_claims, try_property, try_rule


@pytest.mark.parametrize("system", ["backprop", "weight_mirror", "kolen_pollack", "symmetric_alignment"])
def test_stock_systems_keep_what_they_claim(system: str) -> None:
    assert_claims(system, examples=8)


@pytest.mark.slow
@pytest.mark.parametrize("system", sorted(stock_learning()))
def test_stock_systems_keep_what_they_claim_on_many_examples(system: str) -> None:
    assert_claims(system, examples=60, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("system", sorted(stock_learning()))
def test_the_static_proof_and_the_laboratory_agree_on_transport(system: str) -> None:
    """What no rule and no tie hands from synapse to synapse on paper, no change of a number brings about, and the other
    way round."""
    tried = try_rule(load_learning(system).model_copy(update={"claims": Claims()}), ["locality", "no_transport"])
    proof = cs.check(cs.load("mlp", learning=system))
    assert any(outcome.verdict == "fails" for outcome in tried) == proof.transports_weights


def test_every_stock_system_claims_much() -> None:
    for name in sorted(stock_learning()):
        claimed = dict(load_learning(name).claims.named())
        assert {"locality", "batch_permutation", "descent", "same_on_every_engine"} <= claimed.keys(), name


def test_claims_survive_writing() -> None:
    for name in stock_learning():
        system = load_learning(name)
        assert build(type(system), read(cs.dump(system))) == system


def test_a_name_alone_is_a_claim() -> None:
    claims = build(Claims, read("{locality, batch_splitting: {tolerance: 0.1}}"))
    assert [name for name, _ in claims.named()] == ["locality", "batch_splitting"]
    assert claims.batch_splitting is not None
    assert claims.batch_splitting.tolerance == 0.1


def test_the_table_and_the_laboratory_know_the_same_properties() -> None:
    assert list(PROPERTIES) == list(TABLE)
    for name, known in PROPERTIES.items():
        assert known.claim is TABLE[name]
        assert (known.of == "rule") == issubclass(known.claim, ClaimOfRules)
        assert re.search(r"[=<]", known.formula), f"{name} must begin with its formula"
        assert known.formula.endswith((".", "]")), known.formula
        assert known.claim.__doc__


def test_a_claim_that_does_not_apply_is_not_kept() -> None:
    system = load_learning("feedback_alignment")
    claiming = system.model_copy(update={"claims": Claims.model_validate({"transpose_convergence": None})})
    with pytest.raises(AssertionError, match=r"transpose_convergence does not apply: .*\n.*no feedback rule"):
        assert_claims(claiming)


def test_a_system_without_claims_has_nothing_to_assert() -> None:
    with pytest.raises(LaboratoryError, match="rule claims nothing: there is nothing to assert"):
        assert_claims("post.rate * pre.rate")


def test_the_tolerance_of_a_claim_is_used() -> None:
    """One hundredth of what breaks splitting."""
    rule = "pre.rate * (post.rate - 0.01 * centre(post.rate))"
    for tolerance, verdict in ((0.2, "holds"), (1e-4, "fails")):
        assert try_property(rule, "batch_splitting", tolerance=tolerance).verdict == verdict
