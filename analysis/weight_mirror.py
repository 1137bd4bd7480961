"""A weight mirror's angle, beside what its noise explains: tan(angle) = sqrt(c n / N_eff)."""

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from .angles import matrix_angles, unread
from .errors import AnalysisError
from .instants import INSTANT
from .recipe import brief, document, number, parameter
from .run import Run

COLUMNS = ["projection", *INSTANT, "angle_degrees", "expected_degrees", "fan_in", "maps", "leak", "reason"]
UNKNOWN = (math.nan,) * 4
MOST = 1 << 14  # of a map's side, and of a convolution's settings
RULE = re.compile(r"^\s*(?P<leak>[\w.]+(?:[eE][-+]?\d+)?)\s*\*\s*\(.+-\s*w\s*\)\s*$")


def weight_mirror_theory(run: Run, snapshots: Sequence[int] | None = None) -> pd.DataFrame:
    """One row per projection whose reverse learns from noise, and snapshot: the matrix angle, `expected_degrees` for a
    resting W in the long run, and the `reason` where that is NaN.

    A mirror B <- (1 - r) B + r S averages the correlation S of `maps` noise maps a step, so it counts (2 - r) / r
    steps: tan^2 = c q r / ((2 - r) maps). c is 1 where the driven neurons answer linearly and 2 through a rectifier
    with its bias off. q is the noise of one map: the fan-in n for a dense wiring; for a convolution n_channels
    times, for each side of the kernel, the mean over taps t of sum_i n_i / c_t^2, over the c_t positions i that see
    the tap, n_i the taps that position i sees (k / positions without padding). r, c, maps and the shapes come from
    the recorded circuit. Where nothing is expected, weights are not read: no angle either. While W moves, the mirror
    lags 1/r mirror steps behind and stands at a larger angle.
    snapshots: all by default.
    """
    circuit = document(run, "circuit")
    expected, reasons = dict[str, tuple[float, float, float, float]](), dict[str, str]()
    for forward, reverse in run.pairs:
        try:
            expected[forward] = _expectation(run, circuit, forward, reverse)
        except AnalysisError as error:
            reasons[forward] = str(error)
    table = (matrix_angles(run, snapshots) if expected else unread(run, snapshots))[
        ["projection", *INSTANT, "angle_degrees"]
    ]
    columns = list(zip(*(expected.get(name, UNKNOWN) for name in table["projection"]), strict=True)) or [()] * 4
    names = ("expected_degrees", "fan_in", "maps", "leak")
    told = {name: list(values) for name, values in zip(names, columns, strict=True)}
    return table.assign(**told, reason=[reasons.get(name, "") for name in table["projection"]])[COLUMNS]


def _expectation(run: Run, circuit: dict[str, Any], forward: str, reverse: str) -> tuple[float, float, float, float]:
    """(degrees, fan-in, maps, leak) of one projection. AnalysisError, as a reason, where it cannot be told."""
    name, mode = _mirror_mode(run, circuit, reverse)
    equation = run.synapse(reverse).rules[name]
    found = RULE.match(equation)
    if not found:
        raise AnalysisError(f"the rule of '{reverse}' must be a leaky average, r * (... - w) (got '{equation}')")
    leak = parameter(run, circuit, found["leak"])
    if not 0 < leak < 2:
        raise AnalysisError(f"the leak of '{reverse}' must lie between 0 and 2 (got {leak:g})")
    noise, fan_in, positions = _geometry(run, circuit, forward)
    c = _constant(circuit, mode, run.synapse(forward).target)
    maps = _maps(run, mode, c, noise, fan_in, positions, leak)
    tangent = math.sqrt(c * noise * leak / ((2 - leak) * maps))
    return math.degrees(math.atan(tangent)), fan_in, maps, leak


def _mirror_mode(run: Run, circuit: dict[str, Any], reverse: str) -> tuple[str, dict[str, Any]]:
    modes = circuit.get("modes") or {}
    for name in run.synapse(reverse).rules:
        mode = modes.get(name)
        if isinstance(mode, dict) and mode.get("one_at_a_time"):
            return name, mode
    raise AnalysisError(f"'{reverse}' does not learn in a mode that fires noise")


def _constant(circuit: dict[str, Any], mode: dict[str, Any], target: str) -> float:
    """c: how much noisier than a linear answer the driven neurons' answer is."""
    population = (circuit.get("populations") or {}).get(target) or {}
    transfer = population.get("transfer", "linear")
    if mode.get("answers", "soma") == "soma" or transfer == "linear":
        return 1.0
    if transfer == "relu":
        return 2.0
    raise AnalysisError(f"c is not known for driven neurons that answer through {brief(transfer)}")


def _maps(run: Run, mode: dict[str, Any], c: float, noise: float, fan_in: float, positions: int, leak: float) -> float:
    """Noise maps of one step, by whichever of the three settings the mode has."""
    match mode.get("samples"):
        case {"maps": maps}:
            return number(run, maps, "samples.maps")
        case {"per_input": samples}:
            return math.ceil(number(run, samples, "samples.per_input") * fan_in / positions)
        case {"target_angle": degrees}:
            tangent = math.tan(math.radians(number(run, degrees, "samples.target_angle")))
            return max(1, math.ceil(c * noise * leak / ((2 - leak) * tangent**2)))
    raise AnalysisError(f"the mirror mode's samples are not known (got {brief(mode.get('samples'))})")


def _geometry(run: Run, circuit: dict[str, Any], name: str) -> tuple[float, float, int]:
    """(noise of one map, fan-in, positions) of a projection."""
    shape, synapse = run.synapse(name).shape, run.synapse(name)
    if synapse.wiring == "dense":
        return math.prod(shape[1:]), math.prod(shape[1:]), 1
    declared = next((p for p in circuit.get("projections") or [] if _label(p) == name), None)
    wiring = (declared or {}).get("wiring")
    if synapse.wiring != "conv" or not isinstance(wiring, dict) or len(shape) != 4:
        raise AnalysisError(f"the noise of '{name}' is not known for its wiring ({synapse.wiring})")
    settings = wiring.get("conv") or {}
    maps = [_map_shape(circuit, population) for population in (synapse.source, synapse.target)]
    noise = float(shape[1])
    for side in (0, 1):
        kernel, (stride, dilation) = (
            shape[2 + side],
            (_pair(settings.get(key, 1))[side] for key in ("stride", "dilation")),
        )
        padding = _pair(settings["padding"])[side] if "padding" in settings else (kernel - 1) * dilation // 2
        noise *= _side_noise(maps[0][1 + side], maps[1][1 + side], kernel, stride, padding, dilation)
    return noise, float(math.prod(shape[1:])), math.prod(maps[1][1:])


def _side_noise(size: int, positions: int, kernel: int, stride: int, padding: int, dilation: int) -> float:
    """One side's share of the noise of a map: the mean over seen taps t of sum_i n_i / c_t^2."""
    read = np.arange(positions)[:, None] * stride - padding + np.arange(kernel)[None, :] * dilation
    inside = (read >= 0) & (read < size)  # (position, tap)
    taps, counts = inside.sum(axis=1), inside.sum(axis=0)
    seen = counts > 0
    return float(((taps[:, None] * inside).sum(axis=0)[seen] / counts[seen] ** 2).mean())


def _map_shape(circuit: dict[str, Any], population: str) -> list[int]:
    declared = (circuit.get("populations") or {}).get(population) or {}
    shape = declared.get("shape") or declared.get("input")
    if not isinstance(shape, list) or len(shape) != 3 or not all(isinstance(size, int) and size > 0 for size in shape):
        raise AnalysisError(f"the shape of population '{population}' is not known (got {brief(shape)})")
    if max(shape[1:]) > MOST:
        raise AnalysisError(f"the shape of population '{population}' is absurd (got {shape})")
    return shape


def _pair(value: Any) -> tuple[int, int]:
    first, second = value if isinstance(value, list) and len(value) == 2 else (value, value)
    if not all(isinstance(size, int) and 0 <= size < MOST for size in (first, second)):
        raise AnalysisError(f"a convolution's settings must be whole numbers (got {brief(value)})")
    return first, second


def _label(projection: Any) -> str:
    if not isinstance(projection, dict):
        return ""
    return str(projection.get("name") or f"{projection.get('from')}->{projection.get('to')}")
