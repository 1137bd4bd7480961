"""Rules as operations: one contraction a term, shared wherever it is the same, and sums that are there already."""

import pytest

import counterstream as cs
from counterstream.circuits.declarations import IntrinsicRules, Rule
from counterstream.circuits.locality import prove
from counterstream.engine.compiler.compile import compile_circuit
from counterstream.engine.compiler.program import Program

from ..nets import plain, residual


def program(rule: str, positions: str = "sum") -> Program:
    text = f"""
populations: {{x: {{input: [2, 4, 4]}}, y: {{transfer: relu, bias: false}}}}
projections: [{{from: x, to: y, wiring: {{conv: {{channels: 3, kernel: 3}}}}}}]
learning:
  name: one_rule
  feedback: {{pathway: none}}
  modes: {{engaged: {{forward: {{dw: "{rule}", positions: {positions}}}}}}}
"""
    return compile_circuit(cs.loads(text)).modes["engaged"].observe


@pytest.mark.parametrize(
    ("rule", "contractions"),
    [
        ("post.rate * pre.rate", 1),
        ("post.rate * (pre.rate - post.rate * w)", 2),
        ("post.rate * pre.rate + 2 * pre.rate * post.rate", 1),
        ("(post.rate - 1) * (pre.rate - 1)", 3),  # the term 1 has none
        ("w * post.rate * pre.rate - w**2 * post.rate * pre.rate", 1),  # one correlation, two functions of w
        ("-0.1 * w", 0),
    ],
)
def test_one_contraction_for_each_different_pair_of_activities(rule: str, contractions: int) -> None:
    assert program(rule).count("correlate") == contractions


def test_a_rule_of_decay_alone_has_no_drive() -> None:
    assert not any(name.startswith("drive/") for name in program("-0.1 * w").results)


def test_positions_are_averaged_over_taps_only_where_asked() -> None:
    assert program("post.rate * pre.rate").count("per_tap") == 0
    assert program("post.rate * pre.rate", "mean").count("per_tap") == 1


def test_gains_and_biases_use_the_sums_that_undoing_the_normalization_made() -> None:
    observe = compile_circuit(residual()).modes["engaged"].observe
    assert observe.count("batch_mean") == 1  # the bias of the output, which does not normalize
    assert observe.count("standardize") == 0  # nobody reads the normalized soma by itself


@pytest.mark.parametrize(("kind", "dw"), [("gain", "-partner.gated * drive"), ("bias", "-partner.gated")])
def test_sums_that_are_there_anyway_are_not_seen_without_a_cross_projection(kind: str, dw: str) -> None:
    explicit = cs.expand(residual())
    rules = {"engaged": IntrinsicRules(**{kind: Rule(dw=dw)})}
    entry = explicit.populations["entry1"].model_copy(update={"rules": rules})
    unfed = explicit.model_copy(
        update={
            "populations": {**explicit.populations, "entry1": entry},
            "cross": [cross for cross in explicit.cross if (cross.target, cross.role) != ("entry1", "teach")],
            "projections": [
                p.model_copy(update={"plastic": False}) if p.target == "entry1" else p for p in explicit.projections
            ],
        }
    )
    assert any("partner.gated" in finding.message for v in prove(unfed).verdicts for finding in v.findings)
    with pytest.raises(cs.CircuitError) as caught:
        compile_circuit(unfed)
    assert "the rule of 'entry1' reads partner.gated" in str(caught.value)
    assert "no cross-projection with role teach feeds it in this mode" in str(caught.value)


def test_only_plastic_projections_learn() -> None:
    text = """
populations: {x: {input: [3]}, h: {transfer: tanh}, y: {transfer: softmax}}
projections:
  - {name: frozen, from: x, to: h, wiring: {dense: {size: 4}}, plastic: false}
  - {name: out, from: h, to: y, wiring: {dense: {size: 2}}}
"""
    learners = compile_circuit(cs.loads(text, learning="kolen_pollack")).modes["engaged"].learners
    assert {learner.state for learner in learners} == {"weights/out", "weights/out~", "bias/h", "bias/y"}


def test_parameters_of_one_projection_are_its_own() -> None:
    text = """
populations: {x: {input: [3]}, h: {transfer: tanh}, y: {transfer: softmax}}
projections:
  - {name: in, from: x, to: h, wiring: {dense: {size: 4}}, parameters: {decay: 0.5}}
  - {name: out, from: h, to: y, wiring: {dense: {size: 2}}}
"""
    learners = compile_circuit(cs.loads(text, learning="backprop")).modes["engaged"].learners
    assert {learner.state: learner.decay for learner in learners} == {
        **{"weights/in": 0.5, "weights/out": 1e-4, "bias/h": 0.0, "bias/y": 0.0}
    }


def test_an_apical_that_nothing_feeds_is_named() -> None:
    explicit = cs.expand(plain())
    unfed = explicit.model_copy(update={"cross": [cross for cross in explicit.cross if cross.target != "v2"]})
    with pytest.raises(cs.CircuitError) as caught:
        compile_circuit(unfed)
    assert "the rule of 'v1->v2' reads post.apical" in str(caught.value)
    assert "no cross-projection with role teach feeds it in this mode" in str(caught.value)


def test_rules_that_share_a_weight_must_agree_on_what_they_say_of_it_alone() -> None:
    text = """
populations: {x: {input: [3]}, y: {shape: [2]}, z: {shape: [2]}}
projections:
  - {name: one, from: x, to: y, wiring: dense, rules: {engaged: "post.rate * pre.rate - 0.1 * w"}}
  - name: two
    from: x
    to: z
    wiring: dense
    weights: {same_as: one}
    rules: {engaged: "pre.rate * post.rate - 0.2 * w"}
modes: {engaged: {}}
"""
    with pytest.raises(cs.CircuitError, match="the rules that share weights/one must have the same terms in w alone"):
        compile_circuit(cs.loads(text))
