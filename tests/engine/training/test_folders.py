"""Two ranks that train on a folder of JPEGs learn what one does, and its evaluation is the same however it is cut."""

from pathlib import Path

import numpy as np
import pytest

from counterstream.analysis import Run
from counterstream.circuits.yamlfile import Document
from counterstream.engine.data.fractals import Plan, write
from counterstream.engine.data.images.index import CACHE
from counterstream.engine.simulator import compile as compile_
from counterstream.engine.training import evaluate, load, prepare, reads
from counterstream.models.library import load_document

from .processes import PLAIN, alone, run, together

CLASSES = 7  # more than five, so that there is a top-5 accuracy
EXPERIMENT = """
format: 1
name: pictures
circuit:
  name: small
  populations:
    image: {input: [3, 12, 12]}
    v1: {normalize: batch, transfer: relu}
    v2: {normalize: batch, transfer: relu}
    pooled: {}
    answer: {transfer: softmax}
  projections:
    - {from: image, to: v1, wiring: {conv: {channels: 6, kernel: 3, stride: 2}}}
    - {from: v1, to: v2, wiring: {conv: {channels: 8, kernel: 3}}}
    - {from: v2, to: pooled, wiring: {pool: {kind: average, size: global}}}
    - {from: pooled, to: answer, wiring: {dense: {size: 7}}}
learning: kolen_pollack
data:
  imagenet: {folder: images, size: 12, validation: 7, mixup: 0.3, label_smoothing: 0.1, workers: 1}
epochs: 2
batch: 9
dtype: float64
consolidation: {rate: 0.1, momentum: 0.9}
ranks: {normalize: shared}
record: {probe: 16, weights: {precision: float64}, metrics: {when: {steps: 1}}}
threads: 1
"""


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE, str(tmp_path / "cache"))


@pytest.mark.slow
def test_two_ranks_on_a_folder_learn_and_measure_what_one_does(tmp_path: Path) -> None:
    """Images that are cropped, mirrored and mixed, their labels smoothed, batch normalization over both ranks."""
    write(tmp_path / "images", Plan(classes=CLASSES, train=7, val=5, size=24, seed=3))
    file = tmp_path / "pictures.yaml"
    file.write_text(EXPERIMENT)
    one, two = (started(PLAIN, run(file, tmp_path / name)) for name, started in (("one", alone), ("two", together)))
    assert (one.returncode, two.returncode) == (0, 0), one.stderr + two.stderr
    recordings = [tmp_path / name / "out/kolen_pollack-seed0.h5" for name in ("one", "two")]
    single, shared = map(Run.open, recordings)
    with single, shared:
        assert (single.environment["ranks"], shared.environment["ranks"]) == ("1", "2")
        for name in ("image->v1", "v1->v2", "v1->v2~", "pooled->answer", "pooled->answer~"):
            for snapshot in range(len(single.steps)):
                np.testing.assert_allclose(
                    shared.weights(name, snapshot), single.weights(name, snapshot), rtol=0, atol=1e-11
                )
            assert np.abs(single.weights(name, -1) - single.weights(name, 0)).max() > 1e-3, "nothing was learned"
        rows = [each.metrics().drop(columns=["images_per_second", "data_wait"]) for each in (single, shared)]
        assert len(rows[0]) == 8  # 42 training images in batches of 9, twice
        np.testing.assert_allclose(*rows, rtol=1e-8)
        for name in ("test_accuracy", "test_top5_accuracy", "validation_accuracy", "validation_top5_accuracy"):
            assert shared.results[name] == single.results[name]
        measured = single.results["test_accuracy"], single.results["test_top5_accuracy"]
    for chunk in (1, 4, 35):
        assert evaluated(recordings[0], file, chunk) == measured


def evaluated(recording: Path, file: Path, chunk: int) -> tuple[float, float | None]:
    """Top-1 and top-5 on the test images of the state that a run ended with, `chunk` of them at a time."""
    experiment = reads(file.read_text(), folder=file.parent)
    ready = prepare(experiment, [load_document(Document(experiment.circuit, "small"), learning="kolen_pollack")])
    consolidation = experiment.consolidation.consolidation
    sim = compile_(ready.systems[0].explicit, dtype="float64", consolidation=consolidation, soft_targets=True)
    sim.load_state_dict(load(max(recording.with_suffix(".checkpoints").glob("step-*.pt"))).state)
    found = evaluate(sim, ready.dataset.test, chunk=chunk)
    assert found.samples == 5 * CLASSES
    return found.accuracy, found.top5_accuracy
