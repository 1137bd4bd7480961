"""What ranks exchange in a step: everything that was observed, averaged over all samples, in one flat collective."""

from collections.abc import Callable, Mapping
from math import prod
from typing import Any, TypeAlias

import numpy as np

from .compiler.program import Program
from .ranks import Ranks

Arrays: TypeAlias = Mapping[str, Any]


class Averaging:
    """Between observing and consolidating: drives, new running statistics, losses and accuracies become means over all
    ranks, weighted by their samples. A drive is a sum of batch means times functions of weights, so its mean is the
    drive of the whole batch.

    Results that are one value of the program are sent once: under Kolen-Pollack a synapse and its reverse share a
    drive. What has a batch axis stays this rank's own.
    """

    announce: Callable[[str, Any], Any] | None = None
    """What is to hear of results before the step ends: nobody."""

    def __init__(self, program: Program, ranks: Ranks) -> None:
        self._ranks = ranks
        self._batched = next((name for name, value in program.inputs.items() if value.batched), None)
        self._shared: dict[int, list[str]] = {}
        for name, position in program.results.items():
            if not program.values[position].batched:
                self._shared.setdefault(position, []).append(name)
        self._shapes = [program.values[position].shape for position in self._shared]
        self._sizes = [prod(shape) for shape in self._shapes]
        self.numbers = sum(self._sizes) + 1
        """How many numbers a step sends: those of each value, and of how many samples they are the mean."""

    def begin(self, inputs: Arrays) -> None:
        """A step with these inputs of the program starts."""

    def __call__(self, results: Arrays, inputs: Arrays) -> dict[str, Any]:
        """The results, those without a batch axis averaged. `inputs` are those of the program."""
        import torch

        if self._batched is None:  # nothing depends on data, so all ranks have the same
            return dict(results)
        samples = len(inputs[self._batched])
        parts = [flat(torch.as_tensor(results[names[0]])) for names in self._shared.values()]
        buffer = torch.cat([*parts, torch.full_like(parts[0][:1], samples)])
        buffer[:-1] *= samples
        self._ranks.add_up(buffer)
        means = torch.split(buffer[:-1].div_(buffer[-1]), self._sizes)
        found = dict(results)
        for names, shape, mean in zip(self._shared.values(), self._shapes, means, strict=True):
            value = shaped(mean, shape)
            found |= dict.fromkeys(names, value.numpy() if isinstance(results[names[0]], np.ndarray) else value)
        return found


def flat(tensor: Any) -> Any:
    """All numbers in one row, kernels channels-last, as engines like to keep them: then nothing is rearranged."""
    return (tensor.permute(0, 2, 3, 1) if tensor.ndim == 4 else tensor).reshape(-1)


def shaped(row: Any, shape: tuple[int, ...]) -> Any:
    """The tensor of which `flat` made the row."""
    if len(shape) == 4:
        outer, inner, height, width = shape
        return row.view(outer, height, width, inner).permute(0, 3, 1, 2)
    return row.view(shape)
