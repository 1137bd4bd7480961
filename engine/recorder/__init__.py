"""A run's synapses, signals, alignment and metrics on disk while it trains: one HDF5 file a run.

    recorder = Recorder("run.h5", About(circuit=yaml, circuit_name="net", learning="kolen_pollack", seed=0))
    recorder.enrol(Weights(synapses), Metrics(["loss"]))
    with recorder.prepare():
        recorder.write(step=0, epoch=0.0, weights=weights)
        recorder.write(step=100, epoch=1.0, metrics={"loss": 0.3})
        recorder.result("test_accuracy", 0.98)

The file is described in docs/hdf5-format.md.
"""

from .about import About, GitState
from .alignment import Alignment
from .compression import COMPRESSIONS, Compression
from .errors import RecordingError
from .metrics import Metrics
from .precision import PRECISIONS, Precision
from .ranks import SharedRecorder
from .recordable import Recordable
from .recorder import Recorder
from .signals import Signal, Signals, What
from .synapses import Synapse, Weights

__all__ = [
    "COMPRESSIONS",
    "PRECISIONS",
    "About",
    "Alignment",
    "Compression",
    "GitState",
    "Metrics",
    "Precision",
    "Recordable",
    "Recorder",
    "RecordingError",
    "SharedRecorder",
    "Signal",
    "Signals",
    "Synapse",
    "Weights",
    "What",
]
