"""What two recordings must have in common when one run was interrupted and the other was not."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np

from counterstream.engine.training import load

BY_THE_CLOCK = {"images_per_second", "data_wait", "training_seconds", "seconds_per_step"}
OF_THE_PART = {"created", "resumptions", "git_commit", "git_dirty"}

CIRCUIT = """
  name: small
  populations:
    image: {input: [1, 4, 4]}
    v1: {normalize: batch, transfer: relu, dropout: 0.2}
    flat: {}
    digit: {transfer: softmax}
  projections:
    - {from: image, to: v1, wiring: {conv: {channels: 3, kernel: 3}}}
    - {from: v1, to: flat, wiring: flatten}
    - {from: flat, to: digit, wiring: {dense: {size: 2}}}
  learning: backprop
"""
"""As the small circuit, with dropout: noise must go on where it was."""

KEYS = {
    "circuit": CIRCUIT,
    "epochs": "4",  # 20 steps
    "checkpoint": "{every: {steps: 5}}",
    "record": "{probe: 16, metrics: {when: {steps: 2}}, signals: {populations: all, when: {steps: 5}}}",
}


def contents(recording: Path) -> dict[str, Any]:
    """Every array, as bytes, and every attribute of a recording, but for what the clock and its parts decide."""
    found: dict[str, Any] = {}

    def take(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset) and item.name.rpartition("/")[2] not in BY_THE_CLOCK:
            value = item[()]
            found[name] = (value.shape, value.tobytes()) if isinstance(value, np.ndarray) else value
        if item.name == "/results":
            found.update({f"results/{key}": value for key, value in item.attrs.items() if key not in BY_THE_CLOCK})

    with h5py.File(recording) as file:
        file.visititems(take)
        found |= {f"@{name}": value for name, value in file.attrs.items() if name not in OF_THE_PART}
    return found


def resumptions(recording: Path) -> int:
    with h5py.File(recording) as file:
        return int(file.attrs["resumptions"])


def last_state(recording: Path) -> dict[str, bytes]:
    """Weights, statistics, traces and counts in a run's last checkpoint."""
    path = max(recording.with_suffix(".checkpoints").glob("step-*.pt"))
    return {name: array.tobytes() for name, array in load(path).state.items()}


def assert_same(one: Path, other: Path) -> None:
    """Two recordings and the last checkpoints beside them are equal to the last bit."""
    first, second = contents(one), contents(other)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    assert last_state(one) == last_state(other)
