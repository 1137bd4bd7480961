"""What was learned, read from a run's HDF5 file alone: neither torch nor the engine is needed, or imported.

For example:

    run = Run.open("kolen_pollack.h5")
    summary(run)                     # final angles and results
    matrix_angles(run)               # a frame: one row per projection and snapshot
    angles_over_training({"Kolen-Pollack": [run]}, "angles.png")

Recordings are described in docs/hdf5-format.md.
"""

from .angles import angle_degrees, delta_angles, matrix_angles
from .errors import AnalysisError
from .figures import angles_over_training
from .run import RecordedSynapse, Run
from .summary import comparison, difference_decay, summary

__all__ = [
    "AnalysisError",
    "RecordedSynapse",
    "Run",
    "angle_degrees",
    "angles_over_training",
    "comparison",
    "delta_angles",
    "difference_decay",
    "matrix_angles",
    "summary",
]
