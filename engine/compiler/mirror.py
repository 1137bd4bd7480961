"""How much noise a projection needs, in a mode that runs projections one at a time."""

from dataclasses import dataclass
from math import ceil, radians, tan
from typing import Literal

from ...circuits.declarations import Mode
from ...circuits.plasticity import Plasticity
from ...circuits.wiring import Geometry
from .errors import cannot


@dataclass(frozen=True, kw_only=True)
class NoiseInput:
    """Noise that the caller draws for one step: `maps` samples of `shape`, of unit variance, times `scale`."""

    name: str
    shape: tuple[int, ...]
    maps: int
    distribution: Literal["normal", "uniform", "rademacher"]
    scale: float


def noise_constant(answer: str) -> float:
    """c of tan(angle) = sqrt(c n_in / N): 1 for a linear answer, 2 through a rectifier with its bias off.

    Functions between the two (gelu, silu) stay below 2,
    others have no constant of their own and are given the rectifier's.
    """
    return 1.0 if answer == "linear" else 2.0


def maps_needed(mode: Mode, geometry: Geometry, plasticity: Plasticity, answer: str = "linear") -> int:
    """Noise samples of one step for one projection whose driven neurons answer through the transfer function `answer`.

    From a target angle: tan^2 = c q r / ((2 - r) maps), where q is the geometry's `single_map_noise` and r the leak of
    the rule, since a leaky average of rate r counts (2 - r) / r steps.
    """
    samples = mode.samples
    assert samples is not None
    if samples.maps is not None:
        return samples.maps
    if samples.per_input is not None:
        return ceil(samples.per_input * geometry.fan_in / geometry.samples_per_map)
    assert samples.target_angle is not None
    leak = plasticity.decay
    if not 0 < leak < 2:
        raise cannot(
            f"target_angle needs a rule with a leak: a term -r * w with r between 0 and 2 (the rule of "
            f"'{plasticity.subject}' has r = {leak:g}). Give samples: {{per_input: ...}} or {{maps: ...}} instead",
            plasticity.subject,
        )
    wanted = tan(radians(samples.target_angle)) ** 2
    return max(1, ceil(noise_constant(answer) * geometry.single_map_noise * leak / ((2 - leak) * wanted)))


def expected_angle_tangent(mode: Mode, geometry: Geometry, plasticity: Plasticity, answer: str = "linear") -> float:
    """tan of the angle at which a mirror of a resting W stands in the long run, with the noise that its mode gives."""
    leak = plasticity.decay
    maps = maps_needed(mode, geometry, plasticity, answer)
    return float((noise_constant(answer) * geometry.single_map_noise * leak / ((2 - leak) * maps)) ** 0.5)
