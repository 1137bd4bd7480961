"""Wirings: which synapses exist between two populations. One file a wiring."""

from .base import MAXIMAL_NEURONS, MAXIMAL_WEIGHTS, Shape, Wiring, WiringError
from .conv import Conv
from .dense import Dense
from .flatten import Flatten
from .geometry import Geometry
from .one_to_one import OneToOne
from .pool import Pool

__all__ = [
    "MAXIMAL_NEURONS",
    "MAXIMAL_WEIGHTS",
    "Conv",
    "Dense",
    "Flatten",
    "Geometry",
    "OneToOne",
    "Pool",
    "Shape",
    "Wiring",
    "WiringError",
]
