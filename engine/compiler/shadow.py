"""The shadow pass: the deltas that backprop would put where the circuit puts its own, through the same activities."""

from ...circuits.declarations import Feedback, LearningSystem
from ...circuits.expansion import expand
from ...circuits.graph import Graph, build_graph
from ...circuits.locality import conducts
from .builder import ProgramBuilder
from .streams import Streams, both_streams


def shadow_streams(graph: Graph, mode: str, name: str) -> tuple[ProgramBuilder, Streams, Streams]:
    """The circuit's own streams in a new program called `name`, and beside them those of exact backprop.

    Activities are the same values: equal operations are made once.
    """
    builder, own = both_streams(graph, mode, name)
    exact = Streams(builder, backprop_graph(graph, mode), "engaged", noise=own.injects)
    exact.activity()
    exact.feedback()
    return builder, own, exact


def backprop_graph(graph: Graph, mode: str) -> Graph:
    """What conducts forward in a mode with data, under the feedback of exact backprop: every reverse a transpose."""
    circuit = graph.circuit
    bare = circuit.model_copy(
        update={
            "populations": {
                name: population.model_copy(update={"rules": {}})
                for name, population in circuit.populations.items()
                if not population.is_feedback
            },
            "projections": [
                p.model_copy(update={"rules": {}, "modes": None, "parameters": {}})
                for p in circuit.projections
                if not graph.is_feedback(p.label) and conducts(graph, p.modes, mode)
            ],
            "cross": [],
            "modes": {},
            "parameters": {},
            "learning": LearningSystem(name="exact", feedback=Feedback(weights="transpose_of")),
        }
    )
    return build_graph(expand(bare))
