"""An output that projects on: its partner hears its own loss and, by a projection, the error of the output above."""

import numpy as np
import torch
from torch.nn import functional

import counterstream as cs

from ..nets import all_close, learned, once

CIRCUIT = """
name: two_outputs
populations:
  x: {input: 4}
  h: {transfer: tanh}
  middle: {transfer: sigmoid, loss: binary_cross_entropy}
  top: {transfer: tanh, loss: squared}
projections:
  - {name: a, from: x, to: h, wiring: {dense: {size: 5}}}
  - {name: b, from: h, to: middle, wiring: {dense: {size: 3}}}
  - {name: c, from: middle, to: top, wiring: {dense: {size: 2}}}
"""


def test_an_output_with_binary_cross_entropy_in_the_middle_learns_as_autograd_says() -> None:
    sim = once(cs.loads(CIRCUIT, learning="backprop", parameters={"decay": 0.0}))
    random = np.random.default_rng(0)
    x, codes, goal = (random.uniform(size=(6, size)) for size in (4, 3, 2))

    names = ("weights/a", "bias/h", "weights/b", "bias/middle", "weights/c", "bias/top")
    states = {name: torch.from_numpy(sim.get_state(name).copy()).requires_grad_() for name in names}
    a, h_bias, b, middle_bias, c, top_bias = states.values()
    middle = functional.linear(functional.linear(torch.from_numpy(x), a, h_bias).tanh(), b, middle_bias)
    top = functional.linear(middle.sigmoid(), c, top_bias).tanh()
    own = functional.binary_cross_entropy_with_logits(middle, torch.from_numpy(codes), reduction="sum")
    above = ((top - torch.from_numpy(goal)) ** 2).sum() / 2
    ((own + above) / len(x)).backward()

    found = learned(sim, x, {"middle": codes, "top": goal})
    expected = {name: -state.grad.numpy() for name, state in states.items() if state.grad is not None}
    all_close({name: found[name] for name in names}, expected, 1e-12)
