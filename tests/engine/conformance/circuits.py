"""Random circuits that are ready to run: with a learning system, and with batches that fit them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import yaml
from hypothesis import strategies as st

import counterstream as cs
from counterstream.circuits.declarations import LearningSystem, Samples
from counterstream.models.library import load_learning
from counterstream.testing.strategies import declared

SAMPLES = 4


@dataclass(frozen=True)
class Drawn:
    """A compact circuit as data, and the seed of its weights and batches."""

    declared: dict[str, Any]
    seed: int

    def __repr__(self) -> str:
        """Text that can be pasted into a file when hypothesis prints a failing example."""
        return f"seed {self.seed}\n{yaml.safe_dump(self.declared, sort_keys=False, default_flow_style=None)}"

    def circuit(self, learning: str | LearningSystem) -> cs.Circuit:
        system = load_learning(learning)
        if "mirror" in system.modes:  # few maps: engines are compared, nothing needs to converge
            mirror = system.modes["mirror"].model_copy(update={"samples": Samples(maps=2)})
            system = system.model_copy(update={"modes": {**system.modes, "mirror": mirror}})
        text = yaml.safe_dump(self.declared, sort_keys=False)
        return cs.loads(text, learning=system, parameters={"decay": 0.02})

    def batch(self, circuit: cs.Circuit, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """(data, target) for the circuit's one input and one output."""
        output = cs.expand(circuit).populations["out"]
        images = random.normal(size=(SAMPLES, *circuit.populations["image"].input))
        if output.output_loss == "cross_entropy":
            return images, random.integers(0, output.shape[0], SAMPLES)
        return images, random.uniform(0, 1, (SAMPLES, output.shape[0]))


def drawn_circuits(*, smooth: bool = False) -> st.SearchStrategy[Drawn]:
    """Circuits of up to five layers. `smooth`: no kinks and no maxima."""
    return st.builds(Drawn, declared(5, smooth=smooth, dead_ends=False), st.integers(0, 2**20))
