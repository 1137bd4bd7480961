"""Which settings set runs apart, and how the difference is named."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..grouping import PER_RUN, TITLES
from ..run import Run
from ..texts import mapping

ELSEWHERE = ("engine", "device", "record", "checkpoint")
"""Settings that say where a run was computed and what was kept of it; to rounding, nothing else changes with them."""
OF_SYSTEM = "modes"  # says how one learning system runs, and nothing about the others
OF_READING = ("workers", "prefetch")  # keys of `data` that say how its images were fetched
MISSING = "none"
NAMED = 3  # differences in a name, at most

Settings = Mapping[str, str]


def settings(run: Run) -> Settings:
    """What the runs of one row share, flat: `consolidation.rate` -> `0.1`."""
    left_out = {*PER_RUN, *TITLES, *ELSEWHERE, OF_SYSTEM}
    experiment = {key: value for key, value in mapping(run.experiment).items() if key not in left_out}
    flat = _flat(experiment)
    return {key: value for key, value in flat.items() if not _of_reading(key)}


def of_system(run: Run) -> Settings:
    """What the runs of one cell share besides."""
    return _flat({OF_SYSTEM: mapping(run.experiment).get(OF_SYSTEM)})


def differences(found: Sequence[Settings]) -> list[str]:
    """For each of several settings, what sets it apart from the others: `consolidation.rate=0.1, epochs=90`."""
    keys = list(dict.fromkeys(key for one in found for key in one))
    varying = [key for key in keys if len({one.get(key, MISSING) for one in found}) > 1]
    unnamed = len(varying) - NAMED
    more = f" and {unnamed} more setting{'s' if unnamed > 1 else ''}" if unnamed > 0 else ""
    return [", ".join(f"{key}={one.get(key, MISSING)}" for key in varying[:NAMED]) + more for one in found]


def _flat(value: Any, name: str = "") -> dict[str, str]:
    if isinstance(value, dict) and value:
        inner = (_flat(part, f"{name}.{key}" if name else str(key)) for key, part in value.items())
        return {key: text for part in inner for key, text in part.items()}
    return {} if value in (None, {}) else {name: str(value)}


def _of_reading(key: str) -> bool:
    return key.startswith("data.") and key.rpartition(".")[2] in OF_READING
