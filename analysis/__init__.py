"""What was learned, read from a run's HDF5 file alone: neither torch nor the engine is needed, or imported.

For example:

    run = Run.open("kolen_pollack.h5")
    summary(run)                     # final angles and results
    matrix_angles(run)               # a frame: one row per projection and snapshot
    angles_over_training({"Kolen-Pollack": [run]}, "angles.png")

Recordings are described in docs/hdf5-format.md, the quantities in docs/analysis.md.
"""

from .angles import angle_degrees, delta_angles, local_angles, matrix_angles
from .bootstrap import difference_interval, interval
from .changes import weight_changes
from .comparison import by_system, comparison, differences
from .errors import AnalysisError
from .figures import angles_over_training, depth_profiles, error_over_training, spectra_of_layers
from .kolen_pollack import difference_decay, kolen_pollack_theory
from .recorded import Instants, RecordedSignal, RecordedSynapse
from .run import Run
from .signs import sign_agreement
from .spectra import singular_spectra, subspace_overlap
from .summary import summary
from .tables import TABLES, table
from .validation import Problem, validate
from .weight_mirror import weight_mirror_theory

__all__ = [
    "TABLES",
    "AnalysisError",
    "Instants",
    "Problem",
    "RecordedSignal",
    "RecordedSynapse",
    "Run",
    "angle_degrees",
    "angles_over_training",
    "by_system",
    "comparison",
    "delta_angles",
    "depth_profiles",
    "difference_decay",
    "difference_interval",
    "differences",
    "error_over_training",
    "interval",
    "kolen_pollack_theory",
    "local_angles",
    "matrix_angles",
    "sign_agreement",
    "singular_spectra",
    "spectra_of_layers",
    "subspace_overlap",
    "summary",
    "table",
    "validate",
    "weight_changes",
    "weight_mirror_theory",
]
