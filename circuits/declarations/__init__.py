"""Declarations: the vocabulary of the circuit language, one file a noun."""

from .circuit import Circuit
from .claims import Claim, ClaimOfRules, Claims
from .consolidation import Consolidation
from .initial import Constant, Initial, Kaiming, Normal, Spread, Uniform, Xavier, Zeros
from .learning import Feedback, LearningMode, LearningSystem
from .mode import Layers, Mode, Noise, Rotate, Samples
from .modulator import Modulator
from .population import BatchNormalization, IntrinsicRules, NoNormalization, Normalization, Population
from .projection import CrossProjection, Projection
from .rule import Rule
from .sign import Mixture
from .structure import Block, Ports, Stage
from .tie import Magnitude, Tie

__all__ = [
    "BatchNormalization",
    "Block",
    "Circuit",
    "Claim",
    "ClaimOfRules",
    "Claims",
    "Consolidation",
    "Constant",
    "CrossProjection",
    "Feedback",
    "Initial",
    "IntrinsicRules",
    "Kaiming",
    "Layers",
    "LearningMode",
    "LearningSystem",
    "Magnitude",
    "Mixture",
    "Mode",
    "Modulator",
    "NoNormalization",
    "Noise",
    "Normal",
    "Normalization",
    "Population",
    "Ports",
    "Projection",
    "Rotate",
    "Rule",
    "Samples",
    "Spread",
    "Stage",
    "Tie",
    "Uniform",
    "Xavier",
    "Zeros",
]
