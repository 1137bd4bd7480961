"""Small networks in which a learning system is tested as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..circuits.declarations import Consolidation, LearningSystem
from ..circuits.writing import as_data
from ..circuits.yamlfile import Document
from ..engine.compiler.compile import compile_circuit
from ..engine.simulator import Simulator
from ..models.library import load_document
from .numbers import Array
from .subject import Subject, modulators_of, open_engine

SIDE = 4
"""Of the maps of a convolutional network."""


@dataclass(frozen=True)
class Network:
    """image -first-> h -second-> out, without biases: `inputs` neurons or maps, `hidden` neurons or maps, `outputs`."""

    inputs: int = 1
    hidden: int = 1
    outputs: int = 1
    transfer: str = "linear"
    loss: str = "squared"
    wiring: str = "dense"
    """Of the first projection: dense or conv."""
    seed: int = 0
    """Of what is drawn: weights, data and noise."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one sample."""
        return (self.inputs, SIDE, SIDE) if self.wiring == "conv" else (self.inputs,)

    def simulator(self, subject: Subject, rate: float, state: Mapping[str, Any] | None = None) -> Simulator:
        """The network, learning by the subject's system, plain SGD with this rate."""
        assert subject.system is not None
        system = subject.system
        circuit = load_document(
            Document(self._declared(system), "network"), learning=Document(as_data(system), subject.document.file)
        )
        compiled = compile_circuit(circuit, Consolidation(rate=rate))
        return Simulator(compiled, open_engine(subject.engine), self.seed, state)

    def _declared(self, system: LearningSystem) -> dict[str, Any]:
        conv = {"conv": {"channels": self.hidden, "kernel": 3}}
        first = conv if self.wiring == "conv" else {"dense": {"size": self.hidden}}
        out = {"loss": self.loss, "transfer": "softmax" if self.loss == "cross_entropy" else "linear"}
        return {
            "name": "network",
            "populations": {
                "image": {"input": list(self.shape)},
                "h": {"transfer": self.transfer, "bias": False},
                "out": {**out, "bias": False},
            },
            "projections": [
                {"name": "first", "from": "image", "to": "h", "wiring": first},
                {"name": "second", "from": "h", "to": "out", "wiring": {"dense": {"size": self.outputs}}},
            ],
            "modulators": {name: {"per": "batch"} for name in modulators_of(system)},
        }

    def batch(self, samples: int) -> tuple[Array, Array]:
        """White noise, and what a linear network with weights of its own makes of it."""
        random = np.random.default_rng([self.seed, 1])
        data = random.normal(size=(samples, *self.shape))
        teacher = random.normal(size=(self.outputs, int(np.prod(self.shape)))) / np.sqrt(np.prod(self.shape))
        answer = data.reshape(samples, -1) @ teacher.T
        return data, answer.argmax(1) if self.loss == "cross_entropy" else answer

    def learn(self, sim: Simulator, data: Array, target: Array) -> None:
        """One step of learning from the data, and of the other modes those that are due after it."""
        engaged = sim.compiled.data_mode
        self.step(sim, engaged, data, target)
        for name, programs in sim.compiled.modes.items():
            if name != engaged and sim.steps[engaged] % programs.mode.every == 0:
                self.step(sim, name, data, target)

    @staticmethod
    def step(sim: Simulator, mode: str, data: Array, target: Array) -> None:
        """One step of one mode, on the data where it takes some."""
        if sim.compiled.modes[mode].mode.isolates:
            sim.run(mode)
        else:
            sim.step(data, target, mode=mode, modulators=dict.fromkeys(sim.circuit.modulators, 1.0))
