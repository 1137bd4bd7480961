"""A small run to record: two plastic layers with their reverse projections, a readout without one, signals of two
populations, angles and metrics. What is recorded at a step is a function of the step."""

from pathlib import Path
from typing import Any

import numpy as np

from counterstream.engine.recorder import (
    About,
    Alignment,
    Metrics,
    Recordable,
    Recorder,
    Signal,
    Signals,
    Synapse,
    Weights,
)

SHAPES = {"image->v1": (4, 1, 3, 3), "stage1.block1.conv1": (6, 4, 3, 3), "v1->digit": (10, 6)}
ORDER = ["image->v1", "stage1.block1.conv1", "v1->digit", "v1->digit~", "stage1.block1.conv1~"]
SAMPLES = [3, 8, 21]
LABELS = [1, 0, 1]
SIGNALS = (
    Signal(population="stage1.block1", shape=(4, 3, 2), partner="stage1.block1~"),
    Signal(population="v1", shape=(6,), what=["rate"]),
)
PAIRS = {name.rstrip("~"): name for name in ORDER if name.endswith("~")}
POPULATIONS = ["v1", "stage1.block1"]
METRICS = ["loss", "accuracy"]


def synapse(name: str, /, **changes: Any) -> Synapse:
    forward = name.rstrip("~")
    feedback = name != forward
    declared: dict[str, Any] = {
        "projection": name,
        "source": "digit~" if feedback else "v1",
        "target": "v1~" if feedback else "digit",
        "role": "feedback" if feedback else "forward",
        "reverse_of": forward if feedback else None,
        "rules": {"engaged": "-post.apical * pre.rate - decay * w"},
        "shape": SHAPES[forward],
        "wiring": "dense" if len(SHAPES[forward]) == 2 else "conv",
    }
    return Synapse(**(declared | changes))


def about(**changes: Any) -> About:
    declared: dict[str, Any] = {
        "circuit": "format: 1\nname: digits_cnn\n",
        "circuit_name": "digits_cnn",
        "learning": "kolen_pollack",
        "environment": {"torch": "2.11.0", "python": "3.11"},
        "seed": 7,
        "experiment": "epochs: 2\n",
    }
    return About(**(declared | changes))


def synapses() -> list[Synapse]:
    return [synapse(name) for name in ORDER]


def everything(**form: Any) -> list[Recordable]:
    """All four; `form`: precision and compression of the arrays."""
    return [
        Weights(synapses(), **form),
        Signals(SIGNALS, SAMPLES, LABELS, **form),
        Alignment(PAIRS, POPULATIONS),
        Metrics(METRICS),
    ]


def recorder(path: Path, *recordables: Recordable, buffers: int = 2, **changes: Any) -> Recorder:
    """A recorder with everything, or what is given, enrolled; `changes` are of what it says of the run."""
    return Recorder(path, about(**changes), buffers=buffers).enrol(*(recordables or everything()))


def weights(seed: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    return {name: random.normal(size=SHAPES[name.rstrip("~")]).astype(np.float32) for name in ORDER}


def signals(seed: int) -> dict[str, dict[str, np.ndarray]]:
    random = np.random.default_rng(1000 + seed)
    return {
        signal.population: {
            what: random.normal(size=(len(SAMPLES), *signal.shape)).astype(np.float32) for what in signal.what
        }
        for signal in SIGNALS
    }


def alignment(seed: int) -> dict[str, dict[str, float]]:
    return {
        "matrix_angle": {name: seed + place for place, name in enumerate(PAIRS)},
        "norm_ratio": dict.fromkeys(PAIRS, seed + 0.5),
        "delta_angle": {name: seed + place / 4 for place, name in enumerate(POPULATIONS)},
        "local_angle": {"v1": seed + 0.125},
    }


def metrics(seed: int) -> dict[str, float]:
    return {"loss": seed / 8}


def record(recorder: Recorder, step: int) -> None:
    """One record of each of the four."""
    recorder.write(
        step=step,
        epoch=step / 4,
        weights=weights(step),
        signals=signals(step),
        alignment=alignment(step),
        metrics=metrics(step),
    )
