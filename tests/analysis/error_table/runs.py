"""Recordings for the table of errors: what they were trained on, by what, with which result."""

from pathlib import Path
from typing import Any

import h5py
import yaml

from counterstream.analysis import Run

from ..recordings import begun, column, index

SETTINGS: dict[str, Any] = {
    "name": "e", "data": "digits", "epochs": 2, "batch": 64, "parameters": {"decay": 0.02},
    "consolidation": {"rate": 0.1}, "modes": {}, "record": {"probe": 128}, "device": "cpu", "threads": 1,
}  # fmt: skip


def circuit(learning: str, *, classes: int = 10, size: int = 8, channels: int = 4) -> str:
    """An explicit circuit: one hidden population, its partner, and rules that differ with the learning system."""
    shape = [channels, size, size]
    return yaml.safe_dump({
        "populations": {
            "image": {"input": [1, size, size]},
            "v1": {"shape": shape, "transfer": "relu"},
            "class": {"shape": [classes], "transfer": "softmax", "loss": "cross_entropy"},
            "v1~": {"shape": list(shape), "partner": "v1"},  # one list twice would be an alias, which no recording has
        },
        "projections": [
            {"from": "image", "to": "v1", "wiring": {"conv": {"channels": channels, "kernel": 3}}},
            {"from": "v1", "to": "class", "wiring": {"dense": {"size": classes}}, "rules": {"engaged": learning}},
        ],
    })  # fmt: skip


def run(
    path: Path, *, learning: str = "backprop", name: str = "resnet18", text: str | None = None,
    error: float | None = 30.0, seed: int = 0, status: str = "complete", steps: int = 22, created: str = "2026",
    **settings: Any,
) -> Run:  # fmt: skip
    """A run that ended with this top-1 test error in percent (None: without one)."""
    experiment = yaml.safe_dump(SETTINGS | settings)
    about: dict[str, Any] = {"learning": learning, "circuit_name": name, "created": created, "message": ""}
    with begun(path, seed=seed, circuit=text or circuit(learning), experiment=experiment, **about) as file:
        index(file["metrics"], [(steps * (1 + epoch), 1 + epoch) for epoch in range(2)])
        column(file["metrics"], "loss", [1.0, 0.5])
        if error is not None:
            file["results"].attrs["test_accuracy"] = 1 - error / 100
        file.attrs["status"] = status
    return Run.open(path)


def claim(path: Path, **attributes: Any) -> None:
    """Change attributes of a recording's root."""
    with h5py.File(path, "r+") as file:
        file.attrs.update(attributes)
