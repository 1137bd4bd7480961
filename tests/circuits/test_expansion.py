"""From compact to explicit: pathways, overrides, readouts, modulators; and by hand what expansion would write."""

import pytest
from hypothesis import given, settings

import counterstream as cs
from counterstream.circuits.declarations import LearningSystem
from counterstream.circuits.expansion import compact
from counterstream.models import load_learning, stock_learning
from counterstream.testing.strategies import circuits

STACK = """
populations:
  x: {input: [2, 6, 6]}
  v1: {transfer: relu}
  v2: {normalize: batch, transfer: relu}
  y: {transfer: softmax}
projections:
  - {name: c1, from: x, to: v1, wiring: {conv: {channels: 4, kernel: 3}}}
  - {name: c2, from: v1, to: v2, wiring: {conv: {channels: 4, kernel: 3}}%s}
  - {name: d, from: v2, to: y, wiring: {dense: {size: 3}}%s}
learning: %s
"""
HEBB = '{name: hebb, feedback: {pathway: none}, modes: {engaged: {forward: "post.rate * pre.rate - post.rate**2 * w"}}}'


def expanded(c2: str = "", d: str = "", learning: str = "kolen_pollack") -> cs.Circuit:
    return cs.expand(cs.loads(STACK % (c2, d, learning)))


def projection(circuit: cs.Circuit, name: str) -> object:
    return next(p for p in circuit.projections if p.name == name)


def names(circuit: cs.Circuit) -> list[str]:
    return [p.label for p in circuit.projections]


@given(circuits())
@settings(max_examples=50)
def test_an_explicit_circuit_expands_to_itself(circuit: cs.Circuit) -> None:
    explicit = cs.expand(circuit)
    assert cs.expand(explicit) == explicit


@given(circuits(learning="kolen_pollack"))
@settings(max_examples=30)
def test_every_reached_population_has_a_partner_of_its_shape(circuit: cs.Circuit) -> None:
    explicit = cs.expand(circuit)
    for name, population in explicit.populations.items():
        if population.partner:
            assert name == f"{population.partner}~"
            assert population.shape == explicit.populations[population.partner].shape
    reversed_ = {p.reverse_of for p in explicit.projections} - {None}
    for p in explicit.projections:
        both = {f"{p.source}~", f"{p.target}~"} <= explicit.populations.keys()
        assert (p.label in reversed_) == both or p.reverse_of


def test_reciprocal_is_the_circuit_the_other_way_round() -> None:
    circuit = expanded()
    assert names(circuit) == ["c1", "c2", "d", "d~", "c2~"]  # nothing below c1 needs an error
    assert list(circuit.populations)[4:] == ["y~", "v2~", "v1~"]  # errors run from the output down
    feedback = projection(circuit, "c2~")
    assert (feedback.source, feedback.target, feedback.reverse_of) == ("v2~", "v1~", "c2")
    assert feedback.rules["engaged"].dw == "-pre.rate * post.apical - decay * w"
    assert circuit.system == "kolen_pollack"
    assert circuit.learning is None


def test_direct_goes_from_the_output_to_all_that_learns() -> None:
    circuit = expanded(learning="direct_feedback_alignment")
    assert names(circuit)[3:] == ["y~->v1~", "y~->v2~"]
    assert all(p.wiring.shared for p in circuit.projections[3:])
    full = load_learning("direct_feedback_alignment")
    full = full.model_copy(update={"feedback": full.feedback.model_copy(update={"onto_maps": "full"})})
    wide = cs.expand(cs.with_learning(cs.loads(STACK % ("", "", "backprop")), full))
    assert not any(p.wiring.shared for p in wide.projections[3:])


@pytest.mark.parametrize(
    "other",
    [
        ", learning: backprop",
        ", learning: {name: inline, feedback: {weights: transpose_of}, modes: {engaged: {forward: '-post.apical'}}}",
    ],
)
def test_one_projection_may_learn_differently(other: str) -> None:
    circuit = expanded(c2=other)
    assert projection(circuit, "c2~").tie.transpose_of == "c2"
    assert projection(circuit, "d~").tie is None
    assert [v.subject for v in cs.check(circuit).verdicts if not v.local] == ["c2~"]


def test_an_override_by_path(tmp_path: object) -> None:
    (tmp_path / "mine.yaml").write_text(
        'name: mine\nmodes: {engaged: {forward: "-post.apical * k"}}\nparameters: {k: 2}\n'
    )
    (tmp_path / "net.yaml").write_text(STACK % (", learning: mine.yaml", "", "backprop"))
    circuit = cs.expand(cs.load(tmp_path / "net.yaml"))
    assert projection(circuit, "c2").rules["engaged"].dw == "-post.apical * k"
    assert projection(circuit, "c2").parameters == {"k": 2.0}
    assert projection(circuit, "d").parameters == {}


def test_overrides_inside_blocks_and_after_stages() -> None:
    text = """
blocks:
  b:
    ports: {out: h}
    populations: {h: {transfer: relu}}
    projections:
      - {name: c, from: in, to: h, wiring: {conv: {channels: 2, kernel: 3}}, learning: backprop}
populations: {x: {input: [2, 4, 4]}, y: {transfer: softmax}}
stages: [{name: s, from: x, block: b, repeat: 2}]
projections: [{from: s, to: y, wiring: {dense: {size: 3}}, learning: feedback_alignment}]
learning: kolen_pollack
"""
    circuit = cs.expand(cs.loads(text))
    assert projection(circuit, "s.block2.c~").tie.transpose_of == "s.block2.c"
    last = projection(circuit, "s.block2.h->y~")
    assert last.rules == {}
    assert last.tie is None


def test_rules_and_parameters_of_one_projection() -> None:
    circuit = expanded(d=', rules: {engaged: "-post.apical * pre.rate"}, parameters: {decay: 0.5}')
    assert projection(circuit, "d").rules["engaged"].dw == "-post.apical * pre.rate"
    assert projection(circuit, "d").parameters == {"decay": 0.5}
    assert projection(circuit, "d~").parameters == {"decay": 0.5}
    assert projection(circuit, "c2").parameters == {}


def test_a_projection_that_is_not_plastic_reverses_exactly() -> None:
    circuit = expanded(c2=", plastic: false")
    forward, feedback = projection(circuit, "c2"), projection(circuit, "c2~")
    assert not forward.rules
    assert not feedback.rules
    assert feedback.tie.transpose_of == "c2"
    report = cs.check(circuit)
    assert report.local
    assert not report.transports_weights


def test_a_supervised_readout_on_an_unsupervised_stack() -> None:
    circuit = expanded(d=", learning: backprop", learning=HEBB)
    assert names(circuit) == ["c1", "c2", "d"]  # the error stays at the output
    assert [name for name, p in circuit.populations.items() if p.is_feedback] == ["y~"]
    assert projection(circuit, "d").rules["engaged"].dw.startswith("-post.apical")
    assert circuit.populations["y"].rules["engaged"].bias.dw == "-partner.gated"
    assert circuit.populations["y"].parameters == {"decay": 1e-4}
    assert circuit.populations["v2"].rules == {}
    assert cs.check(circuit).local


def test_a_supervised_readout_of_two_layers() -> None:
    circuit = expanded(c2=", learning: kolen_pollack", d=", learning: kolen_pollack", learning=HEBB)
    assert names(circuit) == ["c1", "c2", "d", "d~"]
    assert [name for name, p in circuit.populations.items() if p.is_feedback] == ["y~", "v2~"]
    assert cs.check(circuit).local


def test_errors_do_not_pass_an_unsupervised_layer() -> None:
    circuit = expanded(c2=f", learning: {HEBB}", learning="backprop")
    assert "c2~" not in names(circuit)
    assert "v1~" not in circuit.populations


def test_without_a_target_nothing_comes_back() -> None:
    text = f"""
populations: {{x: {{input: 5}}, h: {{}}}}
projections: [{{from: x, to: h, wiring: {{dense: {{size: 3}}}}}}]
learning: {HEBB}
"""
    circuit = cs.expand(cs.loads(text))
    assert circuit.cross == []
    assert list(circuit.populations) == ["x", "h"]
    assert cs.check(circuit).local


def test_several_inputs_and_outputs() -> None:
    text = """
populations:
  left: {input: 3}
  right: {input: [1, 2, 2]}
  h: {transfer: tanh}
  word: {transfer: softmax}
  place: {loss: squared}
projections:
  - {from: left, to: h, wiring: {dense: {size: 4}}}
  - {from: right, to: h, wiring: {dense: {size: 4}}}
  - {from: h, to: word, wiring: {dense: {size: 2}}}
  - {from: h, to: place, wiring: {dense: {size: 2}}}
learning: %s
"""
    circuit = cs.expand(cs.loads(text % "feedback_alignment"))
    assert {"word~", "place~", "h~"} <= circuit.populations.keys()
    assert {"h->word~", "h->place~"} <= set(names(circuit))
    direct = cs.expand(cs.loads(text % "direct_feedback_alignment"))
    assert names(direct)[4:] == ["word~->h~", "place~->h~"]


def test_labels_as_activity_and_modulators() -> None:
    text = """
populations: {x: {input: 3}, label: {target: 2}, h: {transfer: tanh}}
projections:
  - {from: x, to: h, wiring: {dense: {size: 2}}}
  - {from: label, to: h, wiring: one_to_one}
modulators: {reward: {per: sample}}
learning:
  name: three_factor
  feedback: {pathway: none}
  modes: {engaged: {forward: "mod.reward * post.rate * pre.rate", bias: "mod.reward * rate"}}
"""
    circuit = cs.expand(cs.loads(text))
    assert circuit.populations["h"].rules["engaged"].bias.dw == "mod.reward * rate"
    report = cs.check(circuit)
    assert report.local
    assert any("modulator mod.reward" in finding.message for _, finding in report.departures)


BY_HAND = """
populations:
  x: {input: 4}
  h: {transfer: tanh, bias: true, rules: {engaged: {bias: "-partner.gated"}}}
  y: {transfer: softmax, rules: {engaged: {bias: "-partner.gated"}}}
  y~: {partner: y}
  h~: {partner: h}
projections:
  - {name: a, from: x, to: h, wiring: {dense: {size: 3}}, rules: {engaged: "-post.apical * pre.rate - decay * w"}}
  - {name: b, from: h, to: y, wiring: {dense: {size: 2}}, rules: {engaged: "-post.apical * pre.rate - decay * w"}}
  - {name: b~, from: y~, to: h~, reverse_of: b, rules: {engaged: "-pre.rate * post.apical - decay * w"}}
cross:
  - {from: y~, to: y, carries: rate, modes: [engaged]}
  - {from: h, to: h~, role: gate}
  - {from: h, to: h~, carries: rate, modes: [engaged]}
  - {from: h~, to: h, carries: rate, modes: [engaged]}
modes: {engaged: {}}
parameters: {decay: 1.0e-4}
"""


def test_by_hand_what_expansion_would_write() -> None:
    compact = """
populations: {x: {input: 4}, h: {transfer: tanh}, y: {transfer: softmax}}
projections:
  - {name: a, from: x, to: h, wiring: {dense: {size: 3}}}
  - {name: b, from: h, to: y, wiring: {dense: {size: 2}}}
learning: kolen_pollack
"""
    by_hand, written = cs.expand(cs.loads(BY_HAND)), cs.expand(cs.loads(compact))
    assert sorted(map(repr, by_hand.cross)) == sorted(map(repr, written.cross))
    same = {"cross": [], "system": ""}
    assert by_hand.model_copy(update=same) == written.model_copy(update=same)


def test_a_learning_system_given_by_name_only_must_be_loaded() -> None:
    circuit = cs.loads(STACK % ("", "", "backprop")).model_copy(update={"learning": "backprop"})
    with pytest.raises(cs.CircuitError, match="learning 'backprop' is a name: give the system itself"):
        cs.expand(circuit)


@pytest.mark.parametrize("name", stock_learning())
def test_only_modes_with_data_or_an_engaged_one_beside(name: str) -> None:
    circuit = expanded(learning=name)
    assert not circuit.modes["engaged"].isolates
    quiet = LearningSystem(name="quiet")
    assert list(cs.expand(cs.with_learning(cs.loads(STACK % ("", "", name)), quiet)).modes) == ["engaged"]


@pytest.mark.parametrize("learning", ["backprop", "feedback_alignment", "direct_feedback_alignment"])
def test_an_output_with_binary_cross_entropy_is_gated_where_errors_reach_it_from_above(learning: str) -> None:
    text = """
populations:
  x: {input: 3}
  m: {transfer: sigmoid, loss: binary_cross_entropy}
  y: {transfer: sigmoid, loss: binary_cross_entropy}
projections:
  - {from: x, to: m, wiring: {dense: {size: 3}}}
  - {from: m, to: y, wiring: {dense: {size: 2}}}
"""
    circuit = cs.expand(cs.loads(text, learning=learning))
    gated = {cross.target for cross in circuit.cross if cross.role == "gate"}
    reached = {projection.target for projection in circuit.projections} & {"m~", "y~"}
    assert gated == reached == (set() if learning.startswith("direct") else {"m~"})


@pytest.mark.parametrize("system", ["kolen_pollack", "weight_mirror", "direct_feedback_alignment"])
def test_compact_writes_out_blocks_and_stages_only(system: str) -> None:
    circuit = cs.load("digits_resnet", learning=system)
    written = compact(circuit)
    assert not written.blocks
    assert not written.stages
    assert written.learning == circuit.learning
    assert "stage2.block1.sum" in written.populations
    assert cs.loads(cs.dump(written)) == written
    assert cs.expand(written) == cs.expand(circuit)
