"""What both streams of a mode with data share: the compartments left behind so far, and synapses that carry them on."""

from ...circuits.graph import Graph
from ...circuits.locality import conducts
from ...circuits.wiring import Pool
from .builder import ProgramBuilder, Ref
from .errors import cannot
from .magnitudes import magnitude_name, redrawn_magnitudes, with_signs
from .noise import NoiseInput
from .state import weights_name

Compartments = dict[str, Ref]


class Conduction:
    """`compartments[population][name]` holds what populations left behind; streams put it there, population by
    population."""

    def __init__(self, builder: ProgramBuilder, graph: Graph, mode: str) -> None:
        self.builder = builder
        self.graph = graph
        self.mode = mode
        self.compartments: dict[str, Compartments] = {}
        self.noise: dict[str, NoiseInput] = {}
        """The noise that is injected, that decides who drops out, and how large redrawn synapses are, by the input's
        name."""
        self._redrawn = redrawn_magnitudes(graph)

    def weights(self, label: str) -> Ref | None:
        """The weights of a projection, ties resolved; None where its wiring has none."""
        geometry = self.graph.geometries[label]
        if geometry.weight_shape is None:
            return None
        own = self.builder.input(weights_name(self.graph, label), geometry.weight_shape, role="state")
        tie = self.graph.projections[label].tie
        if tie is None or tie.kind != "sign_of":
            return own
        if label in self._redrawn:
            self.noise[magnitude_name(label)] = self._redrawn[label]
        return with_signs(self.builder, self.graph, label, own, self._redrawn)

    def current(self, name: str) -> Ref | None:
        """The summed input of a population from its own stream, or None where nothing conducts."""
        currents = []
        for label in self.graph.into(name):
            projection = self.graph.projections[label]
            if not conducts(self.graph, projection.modes, self.mode) or projection.source not in self.compartments:
                continue
            pre, geometry = self.compartments[projection.source]["rate"], self.graph.geometries[label]
            if projection.reverse_of is None:
                currents.append(self.builder.project(pre, self.weights(label), geometry))
            else:
                # A maximum's way back leads through the neuron that won, so it needs the activity below.
                is_max = isinstance(geometry.wiring, Pool) and geometry.wiring.over == "max"
                below = self.graph.projections[projection.reverse_of].source
                lower = self.compartments[below]["rate"] if is_max else None
                currents.append(self.builder.project_back(pre, self.weights(label), lower, geometry))
        return self.builder.total(currents) if currents else None

    def echo(self, label: str) -> Ref:
        """What the neurons that a projection drives would send back through it of their apical activity."""
        projection, geometry = self.graph.projections[label], self.graph.geometries[label]
        target = self.compartments[projection.target]
        if "apical" not in target:
            raise cannot(f"the rule of '{label}' reads pre.echo, but nothing teaches '{projection.target}'", label)
        weights = self.weights(label)
        if projection.reverse_of is not None:
            return self.builder.project(target["apical"], weights, geometry)
        return self.builder.project_back(target["apical"], weights, None, geometry)
