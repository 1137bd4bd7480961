"""A small experiment for tests: two classes of noisy patterns, and a circuit that learns them in a few steps."""

from pathlib import Path

import numpy as np

from counterstream.circuits.yamlfile import Document
from counterstream.engine.training import Experiment, Prepared, prepare, reads
from counterstream.models.library import load_document

CIRCUIT = """
  name: small
  populations:
    image: {input: [1, 4, 4]}
    v1: {normalize: batch, transfer: relu}
    flat: {}
    digit: {transfer: softmax}
  projections:
    - {from: image, to: v1, wiring: {conv: {channels: 3, kernel: 3}}}
    - {from: v1, to: flat, wiring: flatten}
    - {from: flat, to: digit, wiring: {dense: {size: 2}}}
  learning: backprop
"""


def save_data(folder: Path, *, validation: bool = False) -> Path:
    """40 training and 20 test images of 4x4 pixels, in a .npz file."""
    random = np.random.default_rng(0)
    patterns = random.normal(size=(2, 1, 4, 4))
    arrays = {}
    for purpose, samples in {"train": 40, "test": 20, **({"validation": 10} if validation else {})}.items():
        labels = np.arange(samples) % 2
        arrays[f"x_{purpose}"] = patterns[labels] + 0.3 * random.normal(size=(samples, 1, 4, 4))
        arrays[f"y_{purpose}"] = labels
    path = folder / "data.npz"
    np.savez(path, **arrays)
    return path


def text(**keys: str) -> str:
    """The experiment's YAML, keys replaced or added."""
    plain = {
        "format": "1",
        "name": "small",
        "circuit": CIRCUIT,
        "data": "{npz: data.npz}",
        "epochs": "2",
        "batch": "8",
        "consolidation": "{rate: 0.1, momentum: 0.9, schedule: cosine}",
        "record": "{probe: 16}",
        "threads": "1",
    }
    return "".join(f"{name}: {value.rstrip()}\n" for name, value in (plain | keys).items())


def save(folder: Path, *, validation: bool = False, **keys: str) -> Path:
    """The experiment's file, its data beside it."""
    save_data(folder, validation=validation)
    path = folder / "small.yaml"
    path.write_text(text(**keys))
    return path


def prepared(folder: Path, *, learning: str = "backprop", validation: bool = False, **keys: str) -> Prepared:
    """The experiment with one learning system, ready to run."""
    save_data(folder, validation=validation)
    experiment: Experiment = reads(text(**keys), folder=folder)
    circuit = load_document(Document(experiment.circuit, "small"), learning=learning)
    return prepare(experiment, [circuit])
