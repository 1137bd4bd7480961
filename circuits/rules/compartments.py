"""The one list of compartments, for the grammar, the simulator's `read` and the locality proof."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from .expression import Signal

Stream: TypeAlias = Literal["forward", "feedback"]
RuleKind: TypeAlias = Literal["synapse", "intrinsic"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compartment:
    """A part of a population that can be read; some only where the population normalizes."""

    name: str
    meaning: str
    normalizing_only: bool = False


COMPARTMENTS: dict[Stream, tuple[Compartment, ...]] = {
    "forward": (
        Compartment(name="soma", meaning="The sum of the inputs of all its projections."),
        Compartment(name="drive", meaning="The normalized soma, before gain and bias.", normalizing_only=True),
        Compartment(name="rate", meaning="What its axons transmit: the transfer function of what drives it."),
        Compartment(name="apical", meaning="The rate of its partner: the error at its soma, the teaching signal."),
    ),
    "feedback": (
        Compartment(name="soma", meaning="The sum of its reverse inputs: the error at its partner's rate."),
        Compartment(name="gated", meaning="The soma times the slope of its partner's transfer function."),
        Compartment(name="rate", meaning="The error at its partner's soma, normalization undone."),
        Compartment(name="apical", meaning="The rate of its partner: the activity."),
    ),
}

SYNAPSE_COMPARTMENTS = ("rate", "soma", "apical")  # all that a synapse may know about each of its two neurons
NOISE = "noise"  # what a mode injects into a neuron; there only in modes that inject it
ECHO = Signal("pre", "echo")
"""What the neurons that the presynaptic one drives would send back to it through the same synapses: the sum, over all
synapses of the projection that leave it, of w times the apical activity at their other end. Not local."""
REVERSE = Signal("reverse", "w")
"""The weight of the synapse that runs the other way, between the partners. Not local."""
OWN_COMPARTMENTS = ("soma", "drive", "rate", "apical")  # of a gain's or bias's own neuron, named bare
PARTNER_COMPARTMENTS = ("soma", "gated", "rate")  # of that neuron's partner

WEIGHT = Signal("w")

RESERVED_WORDS = frozenset(
    {"soma", "drive", "rate", "apical", "gated", NOISE, "echo", "pre", "post", "w", "mod", "own", "partner", "reverse"}
)
"""Names that no population, projection or parameter may bear: each means a compartment or a side."""


def compartments(stream: Stream, *, normalizes: bool = False) -> tuple[str, ...]:
    """The names of a population's compartments, in the order in which they are computed.

    >>> compartments("forward")
    ('soma', 'rate', 'apical')
    """
    return tuple(c.name for c in COMPARTMENTS[stream] if normalizes or not c.normalizing_only)


def visible_signals(kind: RuleKind, *, noise: bool = False) -> dict[str, Signal]:
    """What a rule of this kind may read, by name; modulators and parameters come on top.

    >>> list(visible_signals("synapse"))
    ['pre.rate', 'pre.soma', 'pre.apical', 'post.rate', 'post.soma', 'post.apical', 'pre.echo', 'reverse.w', 'w']
    >>> list(visible_signals("intrinsic"))
    ['soma', 'drive', 'rate', 'apical', 'partner.soma', 'partner.gated', 'partner.rate', 'w']
    """
    if kind == "synapse":
        seen = SYNAPSE_COMPARTMENTS + ((NOISE,) if noise else ())
        signals = [Signal(side, compartment) for side in ("pre", "post") for compartment in seen]
        signals += [ECHO, REVERSE]
    else:
        own = OWN_COMPARTMENTS + ((NOISE,) if noise else ())
        signals = [Signal("own", compartment) for compartment in own]
        signals += [Signal("partner", compartment) for compartment in PARTNER_COMPARTMENTS]
    return {str(signal): signal for signal in (*signals, WEIGHT)}
