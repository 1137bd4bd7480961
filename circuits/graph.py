"""The graph of a circuit without blocks: who projects to whom, in which order, with which shapes.

Everything structural is checked on the way, one file of `checks/` a concern, all problems of a stage at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from .checks.cross_projections import check_cross_projections
from .checks.declared import Declared
from .checks.geometries import lay_geometries
from .checks.initials import check_initials
from .checks.modes import check_mode_names, check_modes
from .checks.order import streams_in_order
from .checks.outputs import check_classes
from .checks.parameters import check_parameters
from .checks.populations import check_populations
from .checks.projections import check_projections
from .checks.shapes import infer_shapes
from .checks.weights import check_weights
from .constraints import Constraint, constraint
from .declarations import Circuit, CrossProjection, Population, Projection
from .errors import Problems
from .wiring import Geometry, Shape
from .yamlfile import Document


@dataclass(frozen=True)
class Graph:
    """A circuit with its order and shapes. Names are as declared; projections are keyed by label."""

    circuit: Circuit
    projections: Mapping[str, Projection]
    forward: tuple[str, ...]
    """Forward populations, sources first."""
    feedback: tuple[str, ...]
    """Feedback populations, in the order in which errors reach them."""
    shapes: Mapping[str, Shape]
    geometries: Mapping[str, Geometry]
    """By projection label. A reverse has its original's."""

    @property
    def populations(self) -> Mapping[str, Population]:
        return self.circuit.populations

    @cached_property
    def partners(self) -> Mapping[str, str]:
        """Forward population -> its feedback partner."""
        return {p.partner: name for name, p in self.populations.items() if p.partner is not None}

    @cached_property
    def _into(self) -> Mapping[str, tuple[str, ...]]:
        into: dict[str, tuple[str, ...]] = dict.fromkeys(self.populations, ())
        for label, projection in self.projections.items():
            into[projection.target] += (label,)
        return into

    def into(self, population: str) -> tuple[str, ...]:
        """Labels of the projections onto a population, in the order of the file."""
        return self._into[population]

    @cached_property
    def _cross(self) -> Mapping[str, tuple[CrossProjection, ...]]:
        cross: dict[str, tuple[CrossProjection, ...]] = dict.fromkeys(self.populations, ())
        for found in self.circuit.cross:
            cross[found.target] += (found,)
        return cross

    def cross_onto(self, population: str) -> tuple[CrossProjection, ...]:
        """Cross-projections onto a population, in the order of the file."""
        return self._cross[population]

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        """Forward populations with a loss."""
        return tuple(name for name in self.forward if self.populations[name].output_loss)

    def end(self, label: str, side: str) -> str:
        """The population at one side, `pre` or `post`, of a projection's synapses."""
        projection = self.projections[label]
        return projection.source if side == "pre" else projection.target

    @cached_property
    def reverses(self) -> Mapping[str, str]:
        """Projection -> the one that runs the other way between the partners, where it has one. Both directions."""
        pairs = [(label, p.reverse_of) for label, p in self.projections.items() if p.reverse_of is not None]
        return {**{original: label for label, original in pairs}, **dict(pairs)}

    def is_feedback(self, label: str) -> bool:
        """True for a projection onto a feedback population."""
        return self.populations[self.projections[label].target].is_feedback

    def weighted(self, label: str) -> bool:
        """True where a projection has weights."""
        return self.geometries[label].wiring.weighted

    def has_gain(self, name: str) -> bool:
        """Whether a population has gains (its default is to have them where it normalizes)."""
        population = self.populations[name]
        return population.normalizes if population.gain is None else population.gain

    def has_bias(self, name: str) -> bool:
        """Whether a population has biases.

        Default: where it normalizes, or has weighted inputs and a nonlinear transfer or a loss.
        """
        population = self.populations[name]
        if population.bias is not None:
            return population.bias
        if population.is_source or population.is_feedback:
            return False
        answers = population.transfer != "linear" or population.output_loss is not None
        return population.normalizes or (answers and any(self.weighted(label) for label in self.into(name)))

    def constraint(self, label: str) -> Constraint | None:
        """What the weights of a projection may be; None where that is anything."""
        projection = self.projections[label]
        return constraint(projection, self.populations[projection.source], self.shapes[projection.source])

    def learns(self, name: str) -> bool:
        """True where a population has plastic afferents, a gain or a bias."""
        plastic = any(self.weighted(label) and self.projections[label].plastic for label in self.into(name))
        return plastic or self.has_gain(name) or self.has_bias(name)


def build_graph(circuit: Circuit, document: Document | None = None) -> Graph:
    """Check a circuit without blocks and lay it out.

    Raises CircuitError with every problem found: first those of names, then a cycle, then those of shapes, and last
    what depends on all of these.
    """
    declared = Declared.of(circuit, document or Document({}))
    problems = Problems()
    for check in _OF_NAMES:
        problems.extend(check(declared))
    problems.stop()
    forward, feedback = streams_in_order(declared)
    shapes = infer_shapes(declared, forward, problems)
    geometries = lay_geometries(declared, shapes, problems)
    problems.extend(check_classes(declared, shapes))
    problems.extend(check_weights(declared, shapes, geometries))
    problems.stop()
    graph = Graph(circuit, declared.projections, forward, feedback, shapes, geometries)
    problems.extend(check_initials(declared, graph.has_bias))
    problems.stop()
    return graph


_OF_NAMES = (
    check_populations,
    check_projections,
    check_cross_projections,
    check_modes,
    check_parameters,
    check_mode_names,
)
"""Checks that names and words are enough for, in the order in which they are told where nothing has a place."""
