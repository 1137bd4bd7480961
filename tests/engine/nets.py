"""Circuits, batches and comparisons that the engine's tests share."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

import counterstream as cs
from counterstream.circuits.declarations import LearningSystem
from counterstream.engine.simulator import Simulator
from counterstream.models.library import load_learning

Array = NDArray[np.float64]

SYSTEMS = (
    "backprop",
    "feedback_alignment",
    "sign_symmetry",
    "weight_mirror",
    "kolen_pollack",
    "direct_feedback_alignment",
)

BESIDE_DATA = (
    "symmetric_alignment",
    "activation_alignment",
    "information_alignment",
    "node_perturbation",
    "phaseless_mirror",
    "perturbed_feedback",
)
"""Systems that read weights of others, clamp feedback neurons on data, inject noise or are rewarded."""

RESIDUAL = """
name: residual
populations:
  image: {input: [2, 9, 9]}
  stem: {}
  entry1: {normalize: batch, transfer: relu}
  hidden1: {normalize: batch, transfer: relu}
  sum1: {}
  reduced: {}
  entry2: {normalize: batch, transfer: relu}
  hidden2: {normalize: batch, transfer: relu}
  sum2: {}
  top: {normalize: batch, transfer: relu}
  pooled: {}
  answer: OUTPUT
projections:
  - {from: image, to: stem, wiring: {conv: {channels: 4, kernel: 3}}}
  - {from: stem, to: entry1, wiring: one_to_one}
  - {from: entry1, to: hidden1, wiring: {conv: {channels: 4, kernel: 3}}}
  - {from: hidden1, to: sum1, wiring: {conv: {channels: 4, kernel: 3}}}
  - {from: stem, to: sum1, wiring: one_to_one}
  - {from: sum1, to: reduced, wiring: {pool: {kind: max, size: 3, stride: 2, padding: 1}}}
  - {from: reduced, to: entry2, wiring: one_to_one}
  - {from: entry2, to: hidden2, wiring: {conv: {channels: 6, kernel: 3, stride: 2}}}
  - {from: hidden2, to: sum2, wiring: {conv: {channels: 6, kernel: 3}}}
  - {name: shortcut, from: entry2, to: sum2, wiring: {conv: {channels: 6, kernel: 1, stride: 2}}}
  - {from: sum2, to: top, wiring: one_to_one}
  - {from: top, to: pooled, wiring: {pool: {kind: average, size: global}}}
  - {from: pooled, to: answer, wiring: {dense: {size: 5}}}
"""
"""A pre-activation residual network in small: batch norm, a strided convolution, a 1x1 shortcut, both kinds of pool, a
dense output. OUTPUT stands for what the output population is."""

OUTPUTS = {
    "cross_entropy": "{transfer: softmax}",
    "squared": "{transfer: tanh, loss: squared}",
    "binary_cross_entropy": "{transfer: sigmoid, loss: binary_cross_entropy}",
}

PLAIN = """
name: plain
populations:
  image: {input: [2, 5, 5]}
  v1: {transfer: tanh}
  v2: {transfer: softplus}
  h: {transfer: sigmoid}
  answer: {transfer: softmax}
projections:
  - {from: image, to: v1, wiring: {conv: {channels: 3, kernel: 3}}}
  - {from: v1, to: v2, wiring: {conv: {channels: 4, kernel: 3, stride: 2}}}
  - {from: v2, to: h, wiring: {dense: {size: 6}}}
  - {from: h, to: answer, wiring: {dense: {size: 3}}}
"""
"""Conv and dense wiring without batch norm: nothing mixes the samples of a batch."""


def residual(loss: str = "cross_entropy", learning: str = "backprop", **parameters: float) -> cs.Circuit:
    return cs.loads(RESIDUAL.replace("OUTPUT", OUTPUTS[loss]), learning=learning, parameters=parameters)


def residual_batch(loss: str = "cross_entropy", *, samples: int = 6, seed: int = 0) -> tuple[Array, Array]:
    random = np.random.default_rng(seed)
    images = random.normal(size=(samples, 2, 9, 9))
    if loss == "cross_entropy":
        return images, random.integers(0, 5, samples)
    return images, random.uniform(0, 1, (samples, 5))


def plain(learning: str = "backprop", **parameters: float) -> cs.Circuit:
    return cs.loads(PLAIN, learning=learning, parameters=parameters)


def plain_batch(*, samples: int = 4, seed: int = 0) -> tuple[Array, Array]:
    random = np.random.default_rng(seed)
    return random.normal(size=(samples, 2, 5, 5)), random.integers(0, 3, samples)


def simulate(circuit: cs.Circuit, seed: int = 0, **how: Any) -> Simulator:
    """The circuit on the torch engine in float64, unless `how` says otherwise."""
    return cs.compile(circuit, **{"engine": "torch", "dtype": "float64", "seed": seed, **how})


def mirror(**mode: Any) -> LearningSystem:
    """The stock weight mirror with another way of mirroring: keys of its mode, in place of the file's."""
    system = load_learning("weight_mirror")
    declared = system.modes["mirror"].model_dump(by_alias=True, exclude_unset=True)
    changed = type(system.modes["mirror"]).model_validate({**declared, **mode})
    return system.model_copy(update={"modes": {**system.modes, "mirror": changed}})


def once(circuit: cs.Circuit, **how: Any) -> Simulator:
    """A simulator whose steps add the bare drive: rate 1, no momentum."""
    return simulate(circuit, consolidation=cs.Consolidation(rate=1.0), **how)


def masks(sim: Simulator, samples: int, random: np.random.Generator) -> dict[str, Array]:
    """Who drops out in one engaged step and what is injected, as `step` takes it: the same for every engine."""
    found: dict[str, Array] = {}
    for noise in sim.compiled.modes["engaged"].noise:
        kind, _, name = noise.name.partition("/")
        if kind == "dropout":
            found[name] = random.integers(0, 2, (samples, *noise.shape)) * 1.0
        else:
            found[f"{name}.noise"] = noise.scale * random.normal(size=(samples, *noise.shape))
    return found


def learned(sim: Simulator, *step: Any, **how: Any) -> dict[str, Array]:
    """What one step adds to every state."""
    before = sim.state_dict()
    sim.step(*step, **how)
    return {name: value - before[name] for name, value in sim.state_dict().items()}


def close(found: Any, expected: Any, tolerance: float = 1e-10, name: str = "") -> None:
    """Equal shapes, and equal numbers relative to the largest."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape, name
    size = np.abs(expected).max(initial=0.0) or 1.0
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * size, err_msg=name)


def all_close(found: Mapping[str, Any], expected: Mapping[str, Any], tolerance: float = 1e-10) -> None:
    """`close` for every entry, by name."""
    assert found.keys() == expected.keys()
    for name in expected:
        close(found[name], expected[name], tolerance, name)
