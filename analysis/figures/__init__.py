"""Figures from recordings, for papers: PDF, PNG or SVG. matplotlib loads when one is drawn, never through pyplot."""

from .angles_over_training import angles_over_training
from .depth_profiles import depth_profiles
from .error_over_training import error_over_training
from .spectra_of_layers import spectra_of_layers

__all__ = ["angles_over_training", "depth_profiles", "error_over_training", "spectra_of_layers"]
