"""How good a network is on a split: loss, top-1, top-5. However many processes share it, every sample counts once."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.dataset import Labels, Split
from ..simulator import Simulator
from .company import ALONE, Company

CHUNK = 256
"""How many samples are evaluated at once."""
TOP = 5


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Of `samples` samples: the mean loss, and the shares of those whose class the network puts first, and among the
    first five (None where there are no more than five).
    """

    samples: int
    loss: float
    accuracy: float
    top5_accuracy: float | None

    @property
    def figures(self) -> dict[str, float]:
        """What was measured, by name."""
        top5 = {} if self.top5_accuracy is None else {"top5_accuracy": self.top5_accuracy}
        return {"loss": self.loss, "accuracy": self.accuracy, **top5}


def evaluate(sim: Simulator, split: Split, *, company: Company = ALONE, chunk: int = CHUNK) -> Evaluation:
    """Evaluate all of a split, by running statistics. A collective: every process takes a contiguous share, and all
    return the same.

    Samples are counted, so neither the number of processes nor the size of chunks changes an accuracy. The loss is a
    sum of floats and may differ in its last digits.
    """
    (output,) = sim.compiled.graph.outputs
    loss, samples, first, among = 0.0, 0, 0, 0
    with split.chunks(company.share(np.arange(len(split))), chunk, device=sim.engine.device) as chunks:
        for batch in chunks:
            metrics, scores = sim.assess(batch.images, batch.labels)
            places = standing(scores[output], batch.labels)
            loss += metrics["loss"] * len(batch)
            samples += len(batch)
            first += int(np.count_nonzero(places == 0))
            among += int(np.count_nonzero(places < TOP))
    loss, *counts = company.sums([loss, samples, first, among])
    samples, first, among = map(int, counts)
    classes = sim.compiled.graph.shapes[output][0]
    return Evaluation(
        samples=samples,
        loss=loss / samples,
        accuracy=first / samples,
        top5_accuracy=among / samples if classes > TOP else None,
    )


def standing(scores: NDArray[Any], labels: Labels) -> NDArray[np.intp]:
    """At which place, from 0, each sample's class stands among the scores (samples, classes), best first.

    Of equal scores the class of the lower number comes first; a class whose score is not a number comes last.
    """
    own = np.take_along_axis(scores, labels[:, None], axis=1)
    earlier = np.arange(scores.shape[1]) < labels[:, None]
    before = np.count_nonzero((scores > own) | ((scores == own) & earlier), axis=1)
    return np.where(np.isnan(own[:, 0]), scores.shape[1], before)
