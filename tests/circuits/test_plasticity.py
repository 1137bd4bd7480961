"""The rules of an explicit circuit in normal form."""

import pytest

import counterstream as cs
from counterstream.circuits.graph import build_graph
from counterstream.circuits.plasticity import Plasticity, read_plasticity
from counterstream.circuits.rules import term_text

NET = """
populations: {x: {input: 3}, h: {transfer: %s}, y: {transfer: softmax}}
projections:
  - {name: a, from: x, to: h, wiring: {dense: {size: 4}}}
  - {name: b, from: h, to: y, wiring: {dense: {size: 2}}%s}
learning: %s
"""


def read(text: str) -> dict[tuple[str, str, str], Plasticity]:
    found = read_plasticity(build_graph(cs.expand(cs.loads(text))))
    return {(p.subject, p.kind, p.mode): p for p in found}


def terms(plasticity: Plasticity) -> list[str]:
    return [term_text(term) for term in plasticity.terms]


def test_decay_is_split_off_and_parameters_become_numbers() -> None:
    found = read(NET % ("tanh", ", parameters: {decay: 0.5}", "kolen_pollack"))
    assert set(found) == {
        ("a", "weights", "engaged"),
        ("b", "weights", "engaged"),
        ("b~", "weights", "engaged"),
        ("h", "bias", "engaged"),
        ("y", "bias", "engaged"),
    }
    assert terms(found["a", "weights", "engaged"]) == ["-post.apical * pre.rate"]
    assert found["a", "weights", "engaged"].decay == 1e-4
    assert found["b", "weights", "engaged"].decay == found["b~", "weights", "engaged"].decay == 0.5
    assert found["h", "bias", "engaged"].decay == 0


def test_a_mode_with_noise_supplies_its_constants() -> None:
    mirror = """
  name: mirror
  modes:
    engaged: {forward: "-post.apical * pre.rate"}
    mirror:
      one_at_a_time: projection
      fires: {noise: uniform, scale: 2}
      answers: rate
      clamp: partner
      samples: {maps: 4}
      feedback: {dw: "post.rate * pre.rate / (variance * slope) - w", positions: mean}"""
    text = (NET % ("relu", "", mirror)).replace("y: {transfer: softmax}", "k: {transfer: relu}, y: {transfer: softmax}")
    text = text.replace("to: y", "to: k").replace(
        "learning:", "  - {name: c, from: k, to: y, wiring: {dense: {size: 2}}}\nlearning:"
    )
    found = read(text)
    hidden = found["b~", "weights", "mirror"]
    assert terms(hidden) == ["0.5 * post.rate * pre.rate"]  # 1 / (2^2 * 1/2): a relu passes half of the noise
    assert hidden.decay == 1.0
    assert hidden.consolidation == "addition"
    assert terms(found["c~", "weights", "mirror"]) == ["0.25 * post.rate * pre.rate"]  # an output answers at its logits
    assert found["a", "weights", "engaged"].consolidation == "common"


def test_a_declared_consolidation_holds() -> None:
    text = NET % ("relu", ", rules: {engaged: {dw: w, consolidation: addition}}", "backprop")
    assert read(text)["b", "weights", "engaged"].consolidation == "addition"


def test_what_is_not_plastic_has_no_rule() -> None:
    assert ("b", "weights", "engaged") not in read(NET % ("relu", ", plastic: false", "kolen_pollack"))


@pytest.mark.parametrize("slope", ["tanh", "sigmoid", "relu6"])
def test_no_slope_where_it_is_no_constant(slope: str) -> None:
    system = """
  name: answering
  modes:
    mirror:
      one_at_a_time: projection
      fires: {}
      answers: rate
      samples: {maps: 4}
      forward: "post.rate * pre.rate / slope\""""
    with pytest.raises(cs.CircuitError, match="unknown name 'slope'"):
        cs.loads(NET % (slope, "", system))
