"""What the outside says that outputs should be."""

from ...circuits.graph import Graph
from .builder import ProgramBuilder, Ref


class Labels:
    """Labels as inputs of a program. With `soft_targets`, outputs with a cross-entropy are told rates of all classes
    instead of a class."""

    def __init__(self, builder: ProgramBuilder, graph: Graph, *, soft_targets: bool) -> None:
        self.builder = builder
        self.graph = graph
        self.soft_targets = soft_targets

    def of(self, population: str) -> Ref:
        """What the outside says an output should be: a class for cross-entropy and label populations, else activity."""
        declared = self.graph.populations[population]
        one_of_all = declared.output_loss == "cross_entropy" and not self.soft_targets
        is_class = declared.target is not None or one_of_all
        shape = () if is_class else self.graph.shapes[population]
        return self.builder.input(
            f"label/{population}", shape, role="label", batched=True, dtype="int" if is_class else "float"
        )

    def code(self, name: str, target: int | str) -> Ref:
        """A label as activity: its own, over so many classes, or that of an output, as its loss compares it."""
        label = self.of(target if isinstance(target, str) else name)
        is_class = self.builder[label]["dtype"] == "int"
        return self.builder.one_hot(label, self.graph.shapes[name][0]) if is_class else label
