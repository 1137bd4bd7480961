"""How nearly a circuit's feedback mirrors its forward synapses: matrix angles, delta angles, local angles."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from .errors import AnalysisError
from .instants import INSTANT, chosen, instant
from .run import Run
from .texts import mapping
from .vectors import compare

MATRIX_COLUMNS = ["projection", *INSTANT, "angle_degrees", "norm_forward", "norm_reverse", "norm_ratio", "difference"]
RECORDED_COLUMNS = ["projection", "depth", "step", "epoch", "angle_degrees", "norm_ratio"]
WEIGHTLESS = ("one_to_one", "flatten", "pool")  # wirings without weights
POPULATION_COLUMNS = ["population", "depth", "step", "epoch", "angle_degrees"]


def angle_degrees(first: np.ndarray, second: np.ndarray) -> float:
    """The angle between two arrays as vectors, in degrees; NaN where one is zero.

    2 atan2(|u - v|, |u + v|) of the unit vectors u and v, in float64: exact to rounding at 0 and 180 degrees,
    where the arc cosine loses half its digits or leaves its domain (Kahan, "How futile are mindless
    assessments of roundoff in floating-point computation?", section 12).
    """
    u, v = (np.asarray(array, dtype=np.float64).ravel() for array in (first, second))
    lengths = np.linalg.norm(u), np.linalg.norm(v)
    if not all(lengths):
        return float("nan")
    u, v = u / lengths[0], v / lengths[1]
    return float(np.degrees(2 * np.arctan2(np.linalg.norm(u - v), np.linalg.norm(u + v))))


def matrix_angles(
    run: Run, snapshots: Sequence[int] | None = None, *, source: Literal["weights", "recorded"] = "weights"
) -> pd.DataFrame:
    """One row per projection whose reverse is recorded too, and snapshot.

    With W the projection's weights and B its reverse's: `angle_degrees` between them, their lengths
    `norm_forward` |W| and `norm_reverse` |B|, `norm_ratio` |B| / |W|, `difference` |W - B|. `depth` counts the
    projections in the order of the forward pass. Ties are listed too (0 degrees where B is W). Taps that no
    position sees are left out. A system without reverse projections (the direct pathway) gives an empty frame.

    snapshots: which ones, negative from the end; all by default.
    source: `weights` computes all that from the recorded weights, in a stream (memory: some pieces of 1 MB); `recorded`
    lists what was measured during the run, often at more instants, with `angle_degrees` and `norm_ratio` alone.
    """
    if source == "recorded":
        return _recorded(run)
    if source != "weights":
        raise AnalysisError(f"matrix angles: source must be 'weights' or 'recorded' (got {source!r})")
    places = [(depth, row, w, b) for row in chosen(run, snapshots) for depth, (w, b) in enumerate(run.pairs)]
    stands = compare(run, [((w, row), (b, row)) for _, row, w, b in places])
    table = [
        (w, depth, *instant(run, row), stand.angle, *stand.lengths, stand.ratio, stand.difference)
        for (depth, row, w, _), stand in zip(places, stands, strict=True)
    ]
    return pd.DataFrame(table, columns=MATRIX_COLUMNS).sort_values(["depth", "snapshot"], ignore_index=True)


def unread(run: Run, snapshots: Sequence[int] | None = None) -> pd.DataFrame:
    """`matrix_angles` without their values, NaN: which rows there would be, for those who need not read weights."""
    values = (np.nan,) * (len(MATRIX_COLUMNS) - 1 - len(INSTANT))
    rows = chosen(run, snapshots)
    table = [(w, depth, *instant(run, row), *values) for depth, (w, _) in enumerate(run.pairs) for row in rows]
    return pd.DataFrame(table, columns=MATRIX_COLUMNS)


def delta_angles(run: Run) -> pd.DataFrame:
    """One row per population and record: the angle between the circuit's delta and the one that backprop gives
    through the same activations all the way down, as measured during the run.

    Records at which a population's angle was not measured are left out.
    """
    return _populations(run, "delta_angle")


def local_angles(run: Run, *, weighted: bool = False) -> pd.DataFrame:
    """One row per population and record: the angle between the circuit's error at its rate and the one that W in
    place of B would bring there, given the circuit's deltas above: what its own feedback synapses add to the
    delta angle. As measured during the run; empty for files of format version 1.

    weighted: only of populations that feedback reaches through weights; of others it is 0 by construction, no
    achievement. Of all where the recorded circuit cannot be read.
    """
    table = _populations(run, "local_angle")
    reached = _reached_through_weights(mapping(run.circuit)) if weighted and len(table) else None
    return table if reached is None else table[table["population"].isin(reached)].reset_index(drop=True)


def _reached_through_weights(circuit: Mapping[str, Any]) -> set[str] | None:
    """The populations to whose partners a projection with weights leads; None if the circuit does not tell."""
    populations, projections = circuit.get("populations"), circuit.get("projections")
    if not isinstance(populations, dict) or not isinstance(projections, list):
        return None
    declared = [p for p in projections if isinstance(p, dict)]
    by_label = {str(p.get("name") or f"{p.get('from')}->{p.get('to')}"): p for p in declared}
    found = set()
    for projection in declared:
        target = populations.get(projection.get("to"))
        original = by_label.get(str(projection.get("reverse_of")), projection)
        wiring = projection.get("wiring", original.get("wiring"))
        kind = next(iter(wiring), None) if isinstance(wiring, dict) else wiring
        if isinstance(target, dict) and "partner" in target and kind not in WEIGHTLESS:
            found.add(str(target["partner"]))
    return found


def _recorded(run: Run) -> pd.DataFrame:
    instants, ratios = run.instants("alignment"), run.alignment("norm_ratio")
    rows = [
        (name, depth, int(instants.steps[record]), float(instants.epochs[record]), angle, ratios[name][record])
        for depth, (name, angles) in enumerate(run.alignment("matrix_angle").items())
        for record, angle in enumerate(angles)
    ]
    return pd.DataFrame(rows, columns=RECORDED_COLUMNS).dropna(subset="angle_degrees", ignore_index=True)


def _populations(run: Run, quantity: str) -> pd.DataFrame:
    instants = run.instants("alignment")
    rows = [
        (population, depth, int(instants.steps[record]), float(instants.epochs[record]), float(angle))
        for depth, (population, angles) in enumerate(run.alignment(quantity).items())
        for record, angle in enumerate(angles)
    ]
    return pd.DataFrame(rows, columns=POPULATION_COLUMNS).dropna(subset="angle_degrees", ignore_index=True)
