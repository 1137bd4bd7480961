"""Random circuits that are ready to run: with a learning system, and with batches that fit them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import yaml
from hypothesis import strategies as st

from ...circuits.declarations import Circuit, LearningSystem, Samples
from ...circuits.expansion import expand
from ...engine.simulator import Simulator
from ...models.library import load_learning, loads
from ..strategies import declared
from .candidate import Array

SAMPLES = 4


@dataclass(frozen=True)
class Drawn:
    """A compact circuit as data, and the seed of its weights and batches."""

    declared: dict[str, Any]
    seed: int

    def __repr__(self) -> str:
        """Text that can be pasted into a file when hypothesis prints a failing example."""
        return f"seed {self.seed}\n{yaml.safe_dump(self.declared, sort_keys=False, default_flow_style=None)}"

    def circuit(self, learning: str | LearningSystem) -> Circuit:
        text = yaml.safe_dump(self.declared, sort_keys=False)
        return loads(text, learning=with_few_maps(load_learning(learning)), parameters={"decay": 0.02})

    def batch(self, circuit: Circuit, random: np.random.Generator) -> tuple[Array, Array]:
        """(data, target) for the circuit's one input and one output."""
        return batch(circuit, random, SAMPLES)


def with_few_maps(system: LearningSystem) -> LearningSystem:
    """A system whose mirror fires few maps: engines are compared, nothing needs to converge."""
    if "mirror" not in system.modes:
        return system
    mirror = system.modes["mirror"].model_copy(update={"samples": Samples(maps=2)})
    return system.model_copy(update={"modes": {**system.modes, "mirror": mirror}})


def batch(circuit: Circuit, random: np.random.Generator, samples: int) -> tuple[Array, Array]:
    """(data, target) for a circuit with one input and one output."""
    populations = expand(circuit).populations.values()
    (image,) = (population.input for population in populations if population.input is not None)
    (output,) = (population for population in populations if population.output_loss is not None)
    assert output.shape is not None
    images = random.normal(size=(samples, *image))
    if output.output_loss == "cross_entropy":
        return images, random.integers(0, output.shape[0], samples)
    return images, random.uniform(0, 1, (samples, *output.shape))


def step_beside(sim: Simulator, data: Array, target: Array) -> None:
    """One step of every mode beside the first with data: without data where a mode needs none."""
    for mode, programs in sim.compiled.modes.items():
        if programs.mode.isolates:
            sim.run(mode)
        elif mode != sim.compiled.data_mode:
            sim.step(data, target, mode=mode)


def drawn_circuits(*, smooth: bool = False) -> st.SearchStrategy[Drawn]:
    """Circuits of up to five layers. `smooth`: no kinks and no maxima."""
    return st.builds(Drawn, declared(5, smooth=smooth, dead_ends=False), st.integers(0, 2**20))
