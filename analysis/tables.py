"""The tables by name: what the command line prints and exports, for one run or several."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from .angles import delta_angles, local_angles, matrix_angles
from .changes import weight_changes
from .grouping import Identity, distinct
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
    """One table of several runs, each file once. Rows are told apart by `run` (the file, with as many of its folders as
    it takes), `learning` and `seed`, and by `circuit` and `experiment` where these differ. KeyError for names that
    TABLES lacks."""
    compute, runs = TABLES[name], distinct(runs)
    identities = [Identity.of(run) for run in runs]
    found = []
    for run, path, identity in zip(runs, shortest([run.path for run in runs]), identities, strict=True):
        told = {"run": path, "learning": run.attributes["learning"], "seed": run.attributes["seed"]}
        told |= {key: getattr(identity, key) for key in ("circuit", "experiment") if _differ(identities, key)}
        frame = compute(run)
        for place, (column, value) in enumerate(told.items()):
            frame.insert(place, column, value)
        found.append(frame)
    filled = [frame for frame in found if not frame.empty]
    return pd.concat(filled, ignore_index=True) if filled else found[0]


def shortest(paths: Sequence[Path]) -> list[str]:
    """The end of each path, with as many of its folders as tell it from the others."""
    parts = [path.absolute().parts for path in paths]
    names = []
    for own in parts:
        alike = [other for other in parts if other != own]
        count = next((n for n in range(1, len(own)) if all(other[-n:] != own[-n:] for other in alike)), len(own))
        names.append(str(Path(*own[-count:])))
    return names


def _differ(identities: Sequence[Identity], key: str) -> bool:
    return len({getattr(identity, key) for identity in identities}) > 1
