"""What a rule means, on every wiring that learns, against finite loops over synapses.

(a) all reads of a step precede all writes; (b) fan-in adds; (c) a drive is a mean over the batch and a sum, or a mean,
over the positions that a tap really saw; (d) a term in w alone applies once a weight; (e) a synapse onto padding does
not exist; (f) a rule is a sum of batch means times functions of w.
"""

import numpy as np
import pytest

from ...circuits.declarations import Circuit, Consolidation
from ...engine.simulator import Simulator
from ...models.library import loads
from .candidate import Candidate, close
from .loops import current, drive
from .rules import CHAIN, REWARD, RULES, WIRINGS, expected_drive


def circuit(wiring: str) -> Circuit:
    """One input, and for each rule a population that learns by it over the wiring, without any feedback stream."""
    shape = ", shape: [4, 2, 3]" if wiring in ("dense onto maps", "shared") else ""
    populations = "\n".join(f"  v{k}: {{transfer: tanh, bias: false{shape}}}" for k in range(len(RULES)))
    projections = "\n".join(
        f"  - {{name: k{k}, from: image, to: v{k}, wiring: {WIRINGS[wiring]}, initial: {{normal: {{deviation: 0.3}}}}, "
        f'rules: {{engaged: {{dw: "{rule}", positions: {positions}}}}}}}'
        for k, (rule, positions) in enumerate(RULES)
    )
    return loads(f"""
populations:
  image: {{input: [2, 3, 4]}}
{populations}
projections:
{projections}
modulators: {{reward: {{per: sample}}}}
parameters: {{decay: 0.1}}
""")


def bare(candidate: Candidate, one: Circuit) -> Simulator:
    """Steps that add the bare drive: rate 1, no momentum."""
    return candidate.simulate(one, Consolidation(rate=1.0))


@pytest.mark.parametrize("wiring", WIRINGS)
def test_every_rule_is_what_its_synapses_come_to(widest: Candidate, wiring: str) -> None:
    sim, data = bare(widest, circuit(wiring)), np.random.default_rng(0).normal(size=(3, 2, 3, 4))
    before = dict(sim.weights)
    sim.step(data, modulators={"reward": REWARD})
    for k, (rule, positions) in enumerate(RULES):
        name = f"k{k}"
        w = before[name]
        expected = expected_drive(rule, positions, sim.compiled.graph.geometries[name], w, data)
        close(sim.weights[name] - w, expected, widest.tolerances.state, f"{rule}, {positions}")


# ---- reads before writes, fan-in


def test_all_reads_precede_all_writes_and_fan_in_adds(widest: Candidate) -> None:
    """Every drive is that of the weights before the step, at the bottom and at the top of a chain alike."""
    sim, data = bare(widest, loads(CHAIN)), np.random.default_rng(0).normal(size=(3, 2, 3, 3))
    geometries, weights, tolerance = sim.compiled.graph.geometries, dict(sim.weights), widest.tolerances.state
    rates = {"image": data}
    for name, label in (("left", "l"), ("right", "r")):
        rates[name] = np.tanh(current(geometries[label], weights[label], data))
    arriving = [current(geometries[p], weights[p], rates[q]) for p, q in (("lt", "left"), ("rt", "right"))]
    rates["top"] = np.tanh(sum(arriving) + current(geometries["dense"], weights["dense"], data))
    sim.step(data)
    for label, projection in sim.compiled.graph.projections.items():
        pre, post = rates[projection.source], rates[projection.target]
        hebb = drive(geometries[label], lambda w, low, up, x=pre, y=post: x[:, *low] * y[:, *up])  # type: ignore[misc]
        close(sim.weights[label] - weights[label], hebb - 0.1 * weights[label], tolerance, label)
    for name, rate in rates.items():  # and what is read afterwards is what the rules saw
        close(sim.read(f"{name}.rate"), rate, tolerance, name)
