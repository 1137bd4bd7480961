"""A run's synapses, signals and metrics on disk while it trains: one HDF5 file a run.

    with Recorder("run.h5", schema) as recorder:
        recorder.snapshot(step=0, epoch=0.0, weights=weights)
        recorder.metrics(step=100, epoch=1.0, values={"loss": 0.3})
        recorder.result("test_accuracy", 0.98)

The file is described in docs/hdf5-format.md.
"""

from .errors import RecordingError
from .recorder import Recorder
from .schema import Schema, Synapse

__all__ = ["Recorder", "RecordingError", "Schema", "Synapse"]
