"""Transfer functions: what a population makes of its summed input. Names and constants; engines supply the
arithmetic."""

from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer function phi by name.

    `slope` is E[phi(u) u] / E[u^2] for white u that is distributed symmetrically about 0: the factor by which
    a mirror that listens through phi sees W scaled. It stands here only where it is a constant of phi. That
    is so where the odd part (phi(u) - phi(-u)) / 2 is linear: the even part is uncorrelated with u, so the
    slope holds for every such u, whatever its variance. It is None where it depends on the distribution of u,
    since then no number holds for all neurons.

    `gated` tells whether phi acts neuron by neuron, so that its derivative is one factor a neuron; `positive`, whether
    no rate is below 0.
    """

    name: str
    meaning: str
    slope: float | None
    gated: bool = True
    positive: bool = False


TRANSFERS = MappingProxyType(
    {
        transfer.name: transfer
        for transfer in (
            Transfer("linear", "u", 1.0),
            Transfer("relu", "max(u, 0); its derivative at 0 is 0", 0.5, positive=True),
            Transfer("relu6", "min(max(u, 0), 6); its derivative at 0 and at 6 is 0", None, positive=True),
            Transfer("gelu", "u Phi(u), with Phi the normal distribution function (the exact form, by erf)", 0.5),
            Transfer("silu", "u sigmoid(u)", 0.5),
            Transfer("hardswish", "u relu6(u + 3) / 6; its derivative is 0 at -3 and 1 at 3", 0.5),
            Transfer("softplus", "log(1 + exp(u))", 0.5, positive=True),
            Transfer("tanh", "tanh(u)", None),
            Transfer("sigmoid", "1 / (1 + exp(-u))", None, positive=True),
            Transfer(
                "softmax",
                "exp(u) / sum of exp(u) over the channels; at cross-entropy outputs only",
                None,
                gated=False,
                positive=True,
            ),
        )
    }
)
"""The closed table, by name."""
