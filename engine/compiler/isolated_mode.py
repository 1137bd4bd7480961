"""A mode that runs one projection at a time, as programs: noise, the answer to it, and the drives of the rules."""

from collections.abc import Mapping

from ...circuits.declarations import Consolidation, Mode
from ...circuits.graph import Graph
from ...circuits.locality import fed
from ...circuits.plasticity import Plasticity, answer_of
from ...circuits.rules import NOISE, REVERSE, reads
from .builder import ProgramBuilder, Ref
from .collected import Collected
from .conduction import Compartments
from .consolidation import consolidation_program
from .errors import cannot
from .feedback_stream import driven, undriven
from .mirror import maps_needed
from .mode_programs import ModePrograms
from .noise import NoiseInput
from .state import weights_name


def isolated_mode(
    name: str, mode: Mode, graph: Graph, plasticity: tuple[Plasticity, ...], common: Consolidation, *, title: str = ""
) -> ModePrograms:
    """The programs of a mode for those of its rules that are given; `title` is their name, by default the mode's."""
    builder = ProgramBuilder(title or name)
    collected, noise = Collected(builder, graph), dict[str, NoiseInput]()
    for found in plasticity:
        if found.mode == name:
            alone = _Alone(builder, graph, name, found)
            noise[alone.noise.name] = alone.noise
            collected.synapses(found, alone.sides(), alone.reverse_weight())
    learners = collected.learners()
    return ModePrograms(
        mode,
        builder.program(collected.drives()),
        consolidation_program(f"consolidate {title or name}", learners, common),
        learners,
        tuple(noise.values()),
    )


class _Alone:
    """One projection run by itself: its source fires noise, its target answers, their partners are clamped to them."""

    def __init__(self, builder: ProgramBuilder, graph: Graph, mode: str, plasticity: Plasticity) -> None:
        self.builder = builder
        self.graph = graph
        self.mode_name = mode
        self.mode = graph.circuit.modes[mode]
        self.label = plasticity.subject
        self.own = graph.projections[self.label]
        self.original = self.own.reverse_of or self.label
        if self.own.reverse_of is None and graph.is_feedback(self.label):
            raise cannot(
                f"'{self.label}' reverses no projection, so mode '{mode}' has nothing to run by itself", self.label
            )
        self._reads_reverse = REVERSE in reads(plasticity.expression)
        self._answer = answer_of(graph, self.label, self.mode)
        geometry, fires = graph.geometries[self.label], self.mode.fires
        assert fires is not None
        self.noise = NoiseInput(
            name=f"noise/{self.original}",
            shape=geometry.lower,
            maps=maps_needed(self.mode, geometry, plasticity, self._answer),
            distribution=fires.noise,
            scale=fires.scale,
        )

    def sides(self) -> Mapping[str, Compartments]:
        geometry = self.graph.geometries[self.label]
        fired = self.builder.input(self.noise.name, geometry.lower, role="noise", batched=True)
        weights = self.builder.input(weights_name(self.graph, self.original), geometry.weight_shape or (), role="state")
        soma = self.builder.project(fired, weights, geometry)
        answer = self.builder.transfer(soma, self._answer)
        lower: Compartments = {"soma": fired, "rate": fired, NOISE: fired}
        upper: Compartments = {"soma": soma, "rate": answer}
        if self.own.reverse_of is None:
            return {"pre": lower, "post": upper}
        return {"pre": self._clamped(self.own.source, upper), "post": self._clamped(self.own.target, lower)}

    def reverse_weight(self) -> Ref | None:
        """The weights of the projection that runs the other way, where the rule reads them."""
        if not self._reads_reverse:
            return None
        other = self.graph.reverses[self.label]
        tie = self.graph.projections[other].tie
        if tie is not None and tie.kind == "sign_of":
            raise cannot(f"the rule of '{self.label}' reads reverse.w, but '{other}' has signs alone", self.label)
        shape = self.graph.geometries[other].weight_shape or ()
        return self.builder.input(weights_name(self.graph, other), shape, role="state")

    def _clamped(self, partner: str, forward: Compartments) -> Compartments:
        """The compartments of a feedback population whose rate is its partner's, noise included."""
        if not driven(self.graph, partner, self.mode_name):
            raise undriven(partner, self.mode_name)
        clamped: Compartments = {**forward, "soma": forward["rate"]}
        if fed(self.graph, partner, self.mode_name):
            clamped["apical"] = forward["rate"]
        return clamped
