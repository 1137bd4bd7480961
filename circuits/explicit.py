"""An explicit circuit written by hand, and what is said in words in every explicit circuit."""

from .declarations import Circuit, Mode, Population
from .errors import CircuitError
from .graph import Graph
from .yamlfile import Document


def written_out(graph: Graph, document: Document) -> Circuit:
    """A circuit written by hand with shapes, gains and biases said, and a mode for data if it has none."""
    circuit = graph.circuit
    problems = [
        document.problem("learning by itself needs a circuit with a learning system", ("projections", index))
        for index, projection in enumerate(circuit.projections)
        if projection.learning is not None
    ]
    if problems:
        raise CircuitError(problems)
    populations = {name: in_words(graph, name) for name in circuit.populations}
    has_data = any(not mode.isolates for mode in circuit.modes.values())
    modes = circuit.modes if has_data else {"engaged": Mode(), **circuit.modes}
    projections = [p.model_copy(update={"name": p.label}) for p in circuit.projections]
    return circuit.model_copy(update={"populations": populations, "modes": modes, "projections": projections})


def in_words(graph: Graph, name: str) -> Population:
    """A population with everything that follows from the graph said in words."""
    population = graph.populations[name]
    if population.is_source:
        return population
    if population.is_feedback:
        return population.model_copy(update={"shape": graph.shapes[name]})
    return population.model_copy(
        update={
            "shape": graph.shapes[name],
            "gain": graph.has_gain(name),
            "bias": graph.has_bias(name),
            "loss": population.output_loss,
        }
    )
