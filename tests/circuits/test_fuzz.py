"""Whatever a file holds, nothing but CircuitError comes out of loading it, and soon."""

import re
import time
from itertools import pairwise

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import counterstream as cs
from counterstream.models import load_learning, stock_circuits, stock_learning

EXPLICIT = """
populations:
  x: {input: 4}
  h: {shape: 3, transfer: tanh, rules: {engaged: {bias: "-partner.gated"}}}
  y: {shape: 2, transfer: softmax}
  y~: {partner: y}
  h~: {partner: h}
projections:
  - {name: w1, from: x, to: h, wiring: dense, rules: {engaged: "-post.apical * pre.rate - decay * w"}}
  - {name: w2, from: h, to: y, wiring: dense, rules: {engaged: {dw: "-post.apical * pre.rate", positions: mean}}}
  - {name: b2, from: y~, to: h~, reverse_of: w2, weights: {transpose_of: w2}, modes: [engaged]}
cross:
  - {from: h~, to: h, carries: rate}
  - {from: y~, to: y}
  - {from: h, to: h~, role: gate}
modes: {engaged: {}, mirror: {one_at_a_time: projection, fires: {}, samples: {maps: 2}}}
modulators: {reward: {per: batch}}
parameters: {decay: 0.1}
"""


def inlined(circuit: str, learning: str) -> str:
    """A stock circuit's text with a learning system inside, so that mutations reach both."""
    text = stock_circuits()[circuit].read_text(encoding="utf-8")
    system = "".join(f"  {line}\n" for line in cs.dump(load_learning(learning)).splitlines())
    return re.sub(r"(?m)^learning: .*\n", f"learning:\n{system}", text)


TEXTS = [EXPLICIT, *(inlined(circuit, learning) for circuit in stock_circuits() for learning in stock_learning())]
TOKEN = re.compile(r"\s+|[\w.$~*+/-]+|.")
ODD = [
    "", "~", "[]", "{}", "-1", "0", "1e-3", "1e999", ".nan", ".inf", "99999999999999999999", "1000000000", "on",
    "true", "$x", "$channels", "[1, 2]", "{a: 1}", "image", "digit", "stage1", "a.b", "é", "\U0001f600", "*a", "&a",
    "!!python/x", "none", "softmax", "batch", "pre.rate", "w", "global", "same_as", "backprop", "direct", "none",
    "\t", "\n", "- ", ": ", "'", '"', "[", "]", "{", "}", ",", "#", "|", ">", "%", "@", "`", "\0", "/dev/zero",
    "rate", "~", "v1~", "10000", "!",
]  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> str:
    tokens = TOKEN.findall(draw(st.sampled_from(TEXTS)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(tokens) - 1))
        how = draw(st.sampled_from(("delete", "duplicate", "odd", "swap", "other")))
        if how == "delete":
            tokens[at] = ""
        elif how == "duplicate":
            tokens[at] *= 2
        elif how == "odd":
            tokens[at] = draw(st.sampled_from(ODD))
        else:
            other = draw(st.integers(0, len(tokens) - 1))
            tokens[at], tokens[other] = tokens[other], tokens[at] if how == "swap" else tokens[other]
    return "".join(tokens)


def refusal(text: str) -> cs.CircuitError | None:
    """What a text is refused with; None where it loads, and loads again from what is dumped."""
    try:
        circuit = cs.loads(text)
    except cs.CircuitError as error:
        return error
    assert cs.loads(cs.dump(circuit)) == circuit
    return None


@given(mutated())
@settings(max_examples=300)
def test_mutations_of_sound_texts(text: str) -> None:
    began = time.process_time()
    refused = refusal(text)
    assert time.process_time() - began < 4  # both loads
    if refused is not None:
        assert refused.problems
        assert all(one.location <= other.location for one, other in pairwise(refused.problems))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(ODD) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(ODD) | st.text(max_size=5), inner),
    max_leaves=6,
)
KEYS = ("populations", "projections", "blocks", "stages", "learning", "cross", "modes", "modulators", "parameters")


@given(st.dictionaries(st.sampled_from((*KEYS, "options")), VALUES, max_size=4))
@settings(max_examples=200)
def test_any_data_under_known_keys(data: dict[str, object]) -> None:
    refused = refusal(yaml.safe_dump({"populations": {"x": {"input": 3}}, **data}))
    assert refused is None or refused.problems
