"""Weights, gains and biases of a simulator as mappings: read a copy, assign to set."""

from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..circuits.declarations import Tie
from ..circuits.errors import suggest
from .compiler.state import weights_name
from .errors import SimulationError, UnknownName

if TYPE_CHECKING:
    from .simulator import Simulator

Floats = NDArray[np.float64]


class States(MutableMapping[str, Floats]):
    """States of one kind by the name of what they belong to. Values are copies; assigning sets the state."""

    def __init__(self, simulator: "Simulator", kind: str) -> None:
        self._simulator = simulator
        self._kind = kind

    def __getitem__(self, subject: str) -> Floats:
        return self._simulator.show_state(self._name(subject)).astype(np.float64)

    def __setitem__(self, subject: str, value: ArrayLike) -> None:
        self._simulator.set_state(self._name(subject), value)

    def __delitem__(self, subject: str) -> None:
        raise SimulationError(f"the {self._kind} of '{subject}' cannot be removed from a compiled circuit")

    def __iter__(self) -> Iterator[str]:
        prefix = f"{self._kind}/"
        return (name.removeprefix(prefix) for name in self._simulator.compiled.states if name.startswith(prefix))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _name(self, subject: str) -> str:
        if subject not in set(self):
            raise UnknownName(f"'{subject}' has no {self._kind}. {suggest(subject, list(self), 'valid names')}")
        return f"{self._kind}/{subject}"


class Weights(States):
    """Weights by projection, tied ones included: a tied projection shows the weights that it conducts with."""

    def __init__(self, simulator: "Simulator") -> None:
        super().__init__(simulator, "weights")
        self._graph = simulator.compiled.graph

    def __iter__(self) -> Iterator[str]:
        return (label for label in self._graph.projections if self._graph.weighted(label))

    def __getitem__(self, subject: str) -> Floats:
        return self.shown(subject).astype(np.float64)

    def shown(self, subject: str) -> NDArray[Any]:
        """The weights in the engine's own dtype, to be read now and not written into: copied only where need be."""
        tie = self._tie(subject)
        owned = self._simulator.show_state(weights_name(self._graph, subject))
        if tie is None or tie.kind != "sign_of":
            return owned
        return np.asarray(np.sign(owned) * self._simulator.show_magnitudes(subject))

    def __setitem__(self, subject: str, value: ArrayLike) -> None:
        if tie := self._tie(subject):
            raise SimulationError(f"'{subject}' has no weights of its own: set those of '{tie.owner}' ({tie.kind})")
        super().__setitem__(subject, value)

    def _tie(self, subject: str) -> Tie | None:
        self._name(subject)
        return self._graph.projections[subject].tie
