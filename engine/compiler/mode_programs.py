"""What a mode comes to: two programs, and what they need and move."""

from dataclasses import dataclass

from ...circuits.declarations import Mode
from .consolidation import Learner
from .noise import NoiseInput
from .program import Program


@dataclass(frozen=True)
class ModePrograms:
    """One mode: `observe` reads everything and writes nothing; `consolidate` turns its drives into new states.

    Between the two, workers that share a model average the drives. Results of `observe`: drive/STATE for every learner,
    new running statistics under their state's name, loss/OUTPUT and accuracy/OUTPUT, watch/COMPARTMENT where watched.
    `noise` is what a step has to draw: noise/PROJECTION where projections run by themselves; where data flow,
    dropout/POPULATION, one sample for each of the batch, and magnitude/PROJECTION of synapses that are drawn anew. Of a
    mode whose projections rotate this is a whole round; each turn is such a pair of its own (`CompiledCircuit.turns`).
    """

    mode: Mode
    observe: Program
    consolidate: Program
    learners: tuple[Learner, ...]
    noise: tuple[NoiseInput, ...] = ()
