"""The locality proof: every kind of violation planted and named, and the verdicts on the stock systems."""

import pytest

import counterstream as cs
from counterstream.circuits.locality import Finding
from counterstream.models import stock_learning

SOUND = """
populations:
  x: {input: [2, 4, 4]}
  h: {shape: [2, 4, 4], normalize: batch, transfer: tanh, rules: {engaged: {bias: "-partner.gated"}}}
  k: {shape: [2, 4, 4]}
  y: {shape: 3, transfer: softmax}
  y~: {partner: y}
  k~: {partner: k}
  h~: {partner: h}
projections:
  - {name: a, from: x, to: h, wiring: {conv: {kernel: 3}}, rules: {engaged: "-post.apical * pre.rate"}}
  - {name: b, from: h, to: k, wiring: {conv: {kernel: 3}}, rules: {engaged: "-post.apical * pre.rate"}}
  - {name: c, from: k, to: y, wiring: dense, rules: {engaged: "-post.apical * pre.rate"}}
  - {name: c~, from: y~, to: k~, reverse_of: c}
  - {name: b~, from: k~, to: h~, reverse_of: b}
cross:
  - {from: h~, to: h}
  - {from: k~, to: k}
  - {from: y~, to: y}
  - {from: h, to: h~, role: gate}
modes: {engaged: {}}
"""


def violations(text: str) -> dict[str, str]:
    report = cs.check(cs.loads(text))
    assert report.local == (not report.violations)
    return {subject: f"{finding.kind}: {finding.message}" for subject, finding in report.violations}


def planted(old: str, new: str) -> dict[str, str]:
    assert old in SOUND
    return violations(SOUND.replace(old, new, 1))


def test_nothing_is_planted() -> None:
    assert violations(SOUND) == {}


def test_a_transpose_tie() -> None:
    found = planted("reverse_of: b", "reverse_of: b, weights: {transpose_of: b}")
    assert found == {"b~": "transport: transpose_of tie: its weights are the transpose of those of 'b'"}


def departures(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for subject, finding in cs.check(cs.loads(text)).departures:
        found.setdefault(subject, []).append(finding.message)
    return found


def test_dropout_travels_over_the_gate_and_is_no_violation() -> None:
    dropping = SOUND.replace("transfer: tanh", "transfer: tanh, dropout: 0.5", 1)
    assert violations(dropping) == {}
    handed_on = "its gate hands on who dropped out of 'h', one number a neuron"
    assert departures(dropping)["h~"] == [*departures(SOUND)["h~"], handed_on]
    ungated = dropping.replace("  - {from: h, to: h~, role: gate}\n", "")
    assert "h~" not in departures(ungated)


def test_a_sign_tie() -> None:
    found = planted("reverse_of: c", "reverse_of: c, weights: {sign_of: c}")
    assert found == {"c~": "transport: sign_of tie: its weights are the scaled signs of those of 'c'"}


def test_a_shared_weight() -> None:
    found = planted("to: k, wiring: {conv: {kernel: 3}}", "to: k, wiring: {conv: {kernel: 3}}, weights: {same_as: a}")
    assert found == {
        "a": "transport: same_as tie: it shares its weights with 'b'",
        "b": "transport: same_as tie: it shares its weights with 'a'",
    }


SHARED = """
populations: {x: {input: 3}, h: {transfer: tanh}, k: {transfer: tanh}, m: {transfer: tanh}, y: {transfer: softmax}}
projections:
  - {name: in, from: x, to: h, wiring: {dense: {size: 3}}}
  - {name: p, from: h, to: k, wiring: {dense: {size: 3}}}
  - {name: q, from: k, to: m, wiring: {dense: {size: 3}}, plastic: false, weights: {same_as: p}}
  - {name: out, from: m, to: y, wiring: {dense: {size: 2}}}
learning: feedback_alignment
"""


def test_a_frozen_projection_that_shares_what_another_learns() -> None:
    assert violations(SHARED) == {
        "p": "transport: same_as tie: it shares its weights with 'q'",
        "q": "transport: same_as tie: it shares its weights with 'p'",
        "q~": "transport: transpose_of tie: its weights are the transpose of those of 'q'",
    }


def test_shared_weights_that_nobody_learns_are_a_constant() -> None:
    report = cs.check(
        cs.loads(SHARED.replace("{size: 3}}}\n  - {name: q", "{size: 3}}, plastic: false}\n  - {name: q"))
    )
    assert report.local
    assert not report.transports_weights
    never = "which never change: a constant, not a tie"
    assert set(report.departures) == {
        (subject, Finding("departure", f"{meaning}, {never}"))
        for subject, meaning in {
            "p": "it shares its weights with 'q'",
            "q": "it shares its weights with 'p'",
            "p~": "its weights are the transpose of those of 'p'",
            "q~": "its weights are the transpose of those of 'q'",
        }.items()
    }


@pytest.mark.parametrize("change", ["", "  - {from: h~, to: h, role: teach, modes: [other]}\n"])
def test_an_apical_that_nothing_feeds(change: str) -> None:
    text = SOUND.replace("  - {from: h~, to: h}\n", change).replace("{engaged: {}}", "{engaged: {}, other: {}}")
    found = violations(text)
    assert found["a"] == (
        "unfed: in mode 'engaged' its rule reads post.apical, but no cross-projection with role teach feeds the apical "
        "compartment of 'h' from its partner"
    )
    assert found["h"].startswith("unfed: in mode 'engaged' its rule reads partner.gated (bias)")


def test_a_gate_does_not_teach() -> None:
    found = planted("reverse_of: b}", 'reverse_of: b, rules: {engaged: "-pre.rate * post.apical"}}')
    assert found["b~"].startswith("unfed: in mode 'engaged' its rule reads post.apical")
    assert "'h~'" in found["b~"]


@pytest.mark.parametrize("rule", ["-post.apical * k.rate", "-post.apical * pre.rate * b.w", "partner.rate * w"])
def test_a_rule_that_reads_another_population(rule: str) -> None:
    text = SOUND.replace("-post.apical * pre.rate", rule, 1)
    with pytest.raises(cs.CircuitError, match=r"is not local|is no name"):
        cs.loads(text)


def test_a_projection_called_as_a_population() -> None:
    report = cs.check(cs.loads(SOUND.replace("{name: a,", "{name: h,").replace('"-partner.gated"', '"-apical"')))
    rules = {(verdict.what, verdict.subject): verdict.rules for verdict in report.verdicts}
    assert rules["projection", "h"] == {"engaged": "-post.apical * pre.rate"}
    assert rules["population", "h"] == {"engaged.bias": "-apical"}
    assert report.local


def test_departures_are_listed_apart() -> None:
    text = SOUND.replace('to: y, wiring: dense, rules: {engaged: "-post.apical * pre.rate"}', (
        'to: y, wiring: dense, rules: {engaged: "-mod.m * post.apical * centre(pre.rate)"}'
    )).replace("modes: {engaged: {}}", "modes: {engaged: {}}\nmodulators: {m: {}}")  # fmt: skip
    report = cs.check(cs.loads(text))
    assert report.local
    assert not report.transports_weights
    departures = {(subject, finding.message) for subject, finding in report.departures}
    assert ("a", "weights are shared over positions") in departures
    assert ("h", "normalizes by statistics of the batch") in departures
    assert ("h~", "undoing the normalization of 'h' takes its batch statistics and its gain") in departures
    assert ("c", "in mode 'engaged' its rule reads the global modulator mod.m") in departures
    assert ("c", "in mode 'engaged' its rule uses a mean over the batch (centre)") in departures


def test_the_switches_of_a_max_pool_are_a_departure() -> None:
    text = """
populations: {x: {input: [1, 4, 4]}, h: {transfer: relu}, p: {}, y: {transfer: softmax}}
projections:
  - {name: c, from: x, to: h, wiring: {conv: {channels: 2, kernel: 3}}}
  - {name: m, from: h, to: p, wiring: {pool: {kind: max, size: 2}}}
  - {name: d, from: p, to: y, wiring: {dense: {size: 2}}}
learning: feedback_alignment
"""
    report = cs.check(cs.loads(text))
    assert ("m~", "errors pass back through the switches of the max pool") in {
        (s, f.message) for s, f in report.departures
    }
    assert report.local


def test_rewards_are_said_to_be_made_of_the_loss() -> None:
    report = cs.check(cs.load("mlp", learning="node_perturbation"))
    made = (
        "in mode 'engaged' its rule reads the global modulator mod.reward, minus the loss of each sample, less that of"
    )
    assert report.local
    assert ("stage1.block1.hidden->stage1.block2.hidden", f"{made} a pass without noise") in {
        (subject, finding.message) for subject, finding in report.departures
    }
    assert ("answer", f"{made} a pass without noise") in {(s, f.message) for s, f in report.departures}  # its bias


def test_a_feedback_neuron_that_hears_no_noise_is_named() -> None:
    circuit = cs.expand(cs.loads(NOISY))
    assert cs.check(circuit).local
    deaf = circuit.model_copy(update={"cross": [cross for cross in circuit.cross if cross.carries != "soma"]})
    found = {(subject, finding.kind): finding.message for subject, finding in cs.check(deaf).violations}
    assert found["b~", "unfed"].startswith("in mode 'engaged' its rule reads ")


NOISY = """
populations: {x: {input: 3}, h: {transfer: tanh}, y: {transfer: softmax}}
projections:
  - {name: a, from: x, to: h, wiring: {dense: {size: 4}}}
  - {name: b, from: h, to: y, wiring: {dense: {size: 2}}}
learning: phaseless_mirror
"""

TRANSPORTS = {
    "backprop": True,
    "sign_symmetry": True,
    "feedback_alignment": False,
    "weight_mirror": False,
    "kolen_pollack": False,
    "direct_feedback_alignment": False,
    "direct_kolen_pollack": False,
    "direct_random_target_projection": False,
    "uniform_sign_feedback": True,
    "fixed_random_sign_feedback": True,
    "batchwise_random_sign_feedback": True,
    "gain_and_leak_mirror": False,
    "information_alignment": False,
    "symmetric_alignment": True,
    "activation_alignment": True,
    "node_perturbation": False,
    "phaseless_mirror": False,
    "perturbed_feedback": False,
}


@pytest.mark.parametrize(("name", "transports"), TRANSPORTS.items())
def test_verdicts_on_the_stock_systems(name: str, transports: bool) -> None:
    report = cs.check(cs.load("digits_resnet", learning=name))
    assert report.transports_weights == transports
    assert report.local != transports
    tied = {v.subject for v in report.verdicts if any(f.kind == "transport" for f in v.findings)}
    explicit = cs.expand(cs.load("digits_resnet", learning=name)).projections
    assert tied == {p.label for p in explicit if p.tie or any(reads in str(p.rules) for reads in ("reverse.w", "echo"))}
    data = report.as_data()
    assert data["local"] == report.local
    assert len(data["verdicts"]) == len(report.verdicts)


def test_every_stock_system_has_a_verdict_here() -> None:
    assert set(stock_learning()) == set(TRANSPORTS)
