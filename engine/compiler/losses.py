"""What outputs are compared with, and what comes of it: losses, accuracies, scores."""

from collections.abc import Mapping

from .builder import Ref
from .forward_stream import ForwardStream


class Losses:
    """The comparisons at the outputs of a forward stream that has been built."""

    def __init__(self, forward: ForwardStream) -> None:
        self.builder, self.graph, self.forward = forward.builder, forward.graph, forward

    def all(self) -> Mapping[str, Ref]:
        """loss/OUTPUT for every output population, and accuracy/OUTPUT for those that may stand for classes.

        Where activities are compared, the accuracy means something only if the label is the code of a class, which the
        caller knows.
        """
        found: dict[str, Ref] = {}
        for name in self.graph.outputs:
            seen, label, loss = self._compared(name)
            found[f"loss/{name}"] = self.builder.loss(seen, label, loss)
            if len(self.graph.shapes[name]) == 1 and self.graph.shapes[name] != (1,):
                found[f"accuracy/{name}"] = self.builder.accuracy(seen, label)
        return found

    def judged(self, output: str) -> tuple[Ref, Ref, str]:
        """What the loss of an output compares: the output, the label as activity, and the loss."""
        seen, label, loss = self._compared(output)
        is_class = self.builder[label].shape != self.graph.shapes[output]
        return seen, self.builder.one_hot(label, self.graph.shapes[output][0]) if is_class else label, loss

    def score(self, output: str) -> Ref:
        """What an output's loss compares with the label, and what ranks classes: activity as its loss takes it."""
        return self._compared(output)[0]

    def _compared(self, output: str) -> tuple[Ref, Ref, str]:
        """The output as its loss looks at it, the label as it is given, and the loss."""
        loss = self.graph.populations[output].output_loss
        assert loss is not None
        seen = self.forward.compartments[output]["rate"] if loss == "squared" else self.forward.before_transfer[output]
        return seen, self.forward.labels.of(output), loss
