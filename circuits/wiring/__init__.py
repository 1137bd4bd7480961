"""Wirings: which synapses exist between two populations. One file a wiring."""

from .base import Shape, Wiring, WiringError
from .conv import Conv
from .dense import Dense
from .flatten import Flatten
from .geometry import Geometry
from .one_to_one import OneToOne
from .pool import Pool

__all__ = ["Conv", "Dense", "Flatten", "Geometry", "OneToOne", "Pool", "Shape", "Wiring", "WiringError"]
