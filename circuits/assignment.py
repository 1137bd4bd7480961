"""Which learning system each part of a forward graph learns by: the circuit's own, or an override."""

from collections.abc import Mapping

from .declarations import LearningMode, LearningSystem, Modulator
from .graph import Graph
from .yamlfile import Path_


class Assignment:
    """The learning system of a circuit, and by label those of its projections, each with the path where it stands."""

    def __init__(self, graph: Graph, system: LearningSystem) -> None:
        self.graph = graph
        self.system = system
        self.systems: dict[str, LearningSystem] = {}
        self.places: dict[str, Path_] = {}
        for index, (label, projection) in enumerate(graph.projections.items()):
            own = projection.learning
            self.systems[label] = own if isinstance(own, LearningSystem) else system
            self.places[label] = ("projections", index, "learning") if own is not None else ("learning",)

    def of_population(self, name: str) -> tuple[LearningSystem, Path_]:
        """Whose rules its gains and biases have: those of its synapses where they agree, else the circuit's."""
        inputs = [label for label in self.graph.into(name) if self.graph.weighted(label)]
        if inputs and all(self.systems[label] == self.systems[inputs[0]] for label in inputs):
            return self.systems[inputs[0]], self.places[inputs[0]]
        return self.system, ("learning",)

    def parameters(self, label: str) -> dict[str, float]:
        """What the rules of a projection read by name: of its override, where it has one, and its own."""
        system = self.systems[label]
        own = system.parameters if system is not self.system else {}
        return {**own, **self.graph.projections[label].parameters}

    def modes(self) -> Mapping[str, LearningMode]:
        """Those of all systems, and one for data where none has one."""
        modes: dict[str, LearningMode] = {}
        for system in (self.system, *self.systems.values()):
            modes |= {name: mode for name, mode in system.modes.items() if name not in modes}
        has_data = any(not mode.isolates for mode in modes.values())
        return modes if has_data else {"engaged": LearningMode(), **modes}

    def modulators(self) -> Mapping[str, Modulator]:
        """Those of all systems. Of several by one name the circuit's own counts, then that of its system."""
        modulators: dict[str, Modulator] = {}
        for system in (*self.systems.values(), self.system):
            modulators |= system.modulators
        return {**modulators, **self.graph.circuit.modulators}
