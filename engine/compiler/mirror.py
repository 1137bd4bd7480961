"""How much noise a projection needs, in a mode that runs projections one at a time."""

from math import ceil, radians, sqrt, tan

from ...circuits.declarations import Mode
from ...circuits.plasticity import Plasticity
from ...circuits.wiring import Geometry
from .errors import cannot


def noise_constant(answer: str) -> float:
    """c of tan(angle) = sqrt(c n_in / N): 1 for a linear answer, 2 through a rectifier with its bias off.

    Functions between the two (gelu, silu) stay below 2,
    others have no constant of their own and are given the rectifier's.
    """
    return 1.0 if answer == "linear" else 2.0


def noise_of_one_map(geometry: Geometry, kurtosis: float, answer: str = "linear") -> float:
    """tan^2 of the angle after one map of noise; after N independent ones it is this over N.

    A neuron of n inputs answers y = sum_k w_k x_k to white x of variance 1 and kurtosis k. Its product with x_j shows
    w_j with an error of variance

        Var(x_j y) = sum_{k != j} w_k^2 + (k - 1) w_j^2,        summed over j: (n + k - 2) |w|^2

    so that N samples leave tan^2 = (n + k - 2) / N: a synapse sees its own strength through the fluctuation of x_j^2,
    the others' through that of the products. Through a rectifier, which halves E[x_j y] and E[x_j^2 y^2] alike, the
    same sum over slope^2 = 1/4 is 2 (n + k - 1) - 1; both are c (n + k - 1) - 1, or c n + c (k - 1) - 1.

    Where positions share weights, a tap t is averaged over the c_t positions that see it, each of n_i valid inputs:
    c n becomes `single_map_noise`, and what does not depend on n is divided by c_t alone. It is left out that the part
    of the error along W itself turns nothing: about 2 (1 / n + 1 / n_out) of n + k - 2.
    """
    c = noise_constant(answer)
    return c * geometry.single_map_noise + (c * (kurtosis - 1) - 1) * _inverse_counts(geometry)


def _inverse_counts(geometry: Geometry) -> float:
    """The mean over taps of 1 / c_t, c_t the independent samples in which one map shows a tap."""
    counts = geometry.tap_counts
    return 1 / geometry.samples_per_map if counts is None else float((1 / counts[counts > 0]).mean())


def maps_needed(mode: Mode, geometry: Geometry, plasticity: Plasticity, answer: str = "linear") -> int:
    """Noise samples of one step for one projection whose driven neurons answer through the transfer function `answer`.

    From a target angle: tan^2 = q r / ((2 - r) maps), where q is `noise_of_one_map` and r the leak of the rule, since a
    leaky average of rate r counts (2 - r) / r steps.
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
    return max(1, ceil(_noise_kept(mode, geometry, leak, answer) / wanted))


def expected_angle_tangent(mode: Mode, geometry: Geometry, plasticity: Plasticity, answer: str = "linear") -> float:
    """tan of the angle at which a mirror of a resting W stands in the long run, with the noise that its mode gives."""
    maps = maps_needed(mode, geometry, plasticity, answer)
    return sqrt(_noise_kept(mode, geometry, plasticity.decay, answer) / maps)


def _noise_kept(mode: Mode, geometry: Geometry, leak: float, answer: str) -> float:
    """tan^2 of the long run's angle with one map a step."""
    assert mode.fires is not None
    return noise_of_one_map(geometry, mode.fires.kurtosis, answer) * leak / (2 - leak)
