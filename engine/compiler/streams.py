"""The two streams of a circuit as operations: activity upwards, errors back through the partners.

Each population leaves its compartments behind, for rules and readers.
"""

from collections.abc import Mapping

from ...circuits.declarations import Noise
from ...circuits.errors import suggest
from ...circuits.graph import Graph
from ...circuits.injection import injected
from .builder import ProgramBuilder, Ref
from .conduction import Compartments, Conduction
from .errors import cannot
from .feedback_stream import FeedbackStream
from .forward_stream import ForwardStream
from .labels import Labels
from .losses import Losses
from .noise import NoiseInput


class Streams:
    """Builds forward and feedback stream of one mode with data.

    After `activity()`, and `feedback()` where there is a feedback stream, `compartments[population][name]` holds every
    compartment. With `frozen`, populations normalize by their running statistics, none drops out, and there is no way
    back. With `synchronise`, populations normalize over the batch of all ranks. With `soft_targets`, outputs with a
    cross-entropy are told rates of all classes instead of a class. `noise` is injected, by population, in place of what
    the mode says; with `frozen` none is.
    """

    def __init__(
        self,
        builder: ProgramBuilder,
        graph: Graph,
        mode: str,
        *,
        frozen: bool = False,
        synchronise: bool = False,
        soft_targets: bool = False,
        noise: Mapping[str, Noise] | None = None,
    ) -> None:
        self.builder = builder
        self.graph = graph
        self.mode = mode
        self.synchronise = synchronise
        self.soft_targets = soft_targets
        self.injects: Mapping[str, Noise] = {} if frozen else injected(graph, mode) if noise is None else noise
        labels = Labels(builder, graph, soft_targets=soft_targets)
        self.conduction = Conduction(builder, graph, mode)
        self.forward = ForwardStream(self.conduction, labels, self.injects, frozen=frozen, synchronise=synchronise)
        self.back = FeedbackStream(self.forward)
        self.losses = Losses(self.forward)

    @property
    def compartments(self) -> Mapping[str, Compartments]:
        return self.conduction.compartments

    @property
    def noise(self) -> Mapping[str, NoiseInput]:
        """The noise that a step draws, by the input's name."""
        return self.conduction.noise

    def activity(self) -> None:
        """The forward stream, sources first."""
        self.forward.build()

    def feedback(self) -> None:
        """The feedback stream, outputs first, and the cross-projections that teach."""
        self.back.build()

    def named(self, name: str) -> Ref:
        """The compartment that "POPULATION.COMPARTMENT" names. Raises CircuitError with the nearest valid names."""
        population, _, compartment = name.rpartition(".")
        if population not in self.compartments:
            hint = suggest(population or name, self.compartments, "populations")
            raise cannot(f"read takes 'POPULATION.COMPARTMENT' (got '{name}'). {hint}")
        available = self.compartments[population]
        if compartment not in available:
            raise cannot(f"'{population}' has no '{compartment}'. {suggest(compartment, available, 'compartments')}")
        return available[compartment]

    def holds(self, name: str) -> bool:
        """Whether "POPULATION.COMPARTMENT" is there in this mode."""
        population, _, compartment = name.rpartition(".")
        return compartment in self.compartments.get(population, {})


def both_streams(
    graph: Graph,
    mode: str,
    name: str,
    *,
    shared: bool = False,
    synchronise: bool = False,
    soft_targets: bool = False,
) -> tuple[ProgramBuilder, Streams]:
    """Both streams of a mode with data, in a new program called `name`; see `ProgramBuilder`, `Streams`."""
    builder = ProgramBuilder(name, shared=shared)
    streams = Streams(builder, graph, mode, synchronise=synchronise, soft_targets=soft_targets)
    streams.activity()
    streams.feedback()
    return builder, streams
