"""A small run to record: two plastic layers with their reverse projections, and a readout without one."""

from typing import Any

import numpy as np

from counterstream.engine.recorder import Schema, Synapse

SHAPES = {"image->v1": (4, 1, 3, 3), "stage1.block1.conv1": (6, 4, 3, 3), "v1->digit": (10, 6)}


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


def schema(**changes: Any) -> Schema:
    order = ["image->v1", "stage1.block1.conv1", "v1->digit", "v1->digit~", "stage1.block1.conv1~"]
    declared: dict[str, Any] = {
        "circuit": "format: 1\nname: digits_cnn\n",
        "circuit_name": "digits_cnn",
        "learning": "kolen_pollack",
        "transports_weights": False,
        "environment": {"torch": "2.11.0", "python": "3.11"},
        "seed": 7,
        "experiment": "epochs: 2\n",
        "synapses": [synapse(name) for name in order],
        "populations": ["v1", "stage1.block1"],
        "metrics": ["loss", "accuracy"],
    }
    return Schema(**(declared | changes))


def weights(seed: int, declared: Schema | None = None) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    synapses = (declared or schema()).synapses
    return {s.projection: random.normal(size=s.shape).astype(np.float32) for s in synapses}
