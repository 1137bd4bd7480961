"""The tables by name: what the command line prints and exports, for one run or several."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import pandas as pd

from .angles import delta_angles, local_angles, matrix_angles
from .changes import weight_changes
from .kolen_pollack import kolen_pollack_theory
from .run import Run
from .signs import sign_agreement
from .spectra import singular_spectra, subspace_overlap
from .weight_mirror import weight_mirror_theory

ENDS = (0, -1)  # the snapshots of tables that would be long

TABLES: Mapping[str, Callable[[Run], pd.DataFrame]] = MappingProxyType(
    {
        "matrix_angles": matrix_angles,
        "recorded_matrix_angles": lambda run: matrix_angles(run, source="recorded"),
        "delta_angles": delta_angles,
        "local_angles": local_angles,
        "sign_agreement": sign_agreement,
        "weight_changes": weight_changes,
        "singular_spectra": lambda run: singular_spectra(run, ENDS),
        "subspace_overlap": lambda run: subspace_overlap(run, snapshots=ENDS),
        "kolen_pollack": kolen_pollack_theory,
        "weight_mirror": weight_mirror_theory,
        "metrics": lambda run: run.metrics(),
    }
)
"""Name -> what computes it from a run; all instants, but of spectra and subspaces only the first and the last."""


def table(name: str, runs: Sequence[Run]) -> pd.DataFrame:
    """One table of several runs, each row told apart by `run` (the file's name), `learning` and `seed`. KeyError for
    names that TABLES lacks."""
    compute = TABLES[name]
    found = []
    for run in runs:
        frame = compute(run)
        for column in ("seed", "learning"):
            frame.insert(0, column, run.attributes[column])
        frame.insert(0, "run", run.path.name)
        found.append(frame)
    filled = [frame for frame in found if not frame.empty]
    return pd.concat(filled, ignore_index=True) if filled else found[0]
