"""Experiments on folders of images, as `counterstream run` trains them."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from counterstream.cli.app import app

EXPERIMENT = """
format: 1
name: pictures
circuit:
  format: 1
  name: small
  populations:
    image: {{input: [3, 12, 12]}}
    v1: {{normalize: batch, transfer: relu}}
    pooled: {{}}
    answer: {{transfer: softmax}}
  projections:
    - {{from: image, to: v1, wiring: {{conv: {{channels: 4, kernel: 3, stride: 2}}}}}}
    - {{from: v1, to: pooled, wiring: {{pool: {{kind: average, size: global}}}}}}
    - {{from: pooled, to: answer, wiring: {{dense: {{size: {classes}}}}}}}
learning: kolen_pollack
data: {{imagenet: {{folder: {folder}, size: 12, workers: {workers}, {more}}}}}
epochs: 2
batch: 6
threads: 1
output: {output}
"""


def run(tmp_path: Path, folder: Path, more: str = "", classes: int = 3, workers: int = 0) -> tuple[int, str, Path]:
    file, output = tmp_path / "pictures.yaml", tmp_path / f"out{workers}"
    file.write_text(EXPERIMENT.format(folder=folder, output=output, more=more, classes=classes, workers=workers))
    done = CliRunner().invoke(app, ["run", str(file)])
    return done.exit_code, f"{done.output}{done.exception or ''}", output


def figures(output: Path) -> list[float]:
    """Losses and accuracies of the runs in a folder."""
    (one,) = json.loads((output / "summary.json").read_text())["runs"]
    return [value for name, value in sorted(one.items()) if "loss" in name or "accuracy" in name]


def test_workers_do_not_change_what_is_learned(tmp_path: Path, folder: Path) -> None:
    more = "validation: 3, mixup: 0.2, label_smoothing: 0.1"
    code, text, alone = run(tmp_path, folder, more)
    assert code == 0, text
    _, _, several = run(tmp_path, folder, more, workers=2)
    assert figures(alone) == figures(several) != []


def test_replaced_files_are_told_of(tmp_path: Path, folder: Path) -> None:
    copy = tmp_path / "spoilt"
    shutil.copytree(folder, copy)
    bad = copy / "train" / "f0001" / "f0001_2.JPEG"
    bad.write_bytes(b"")
    code, text, output = run(tmp_path, copy, "corrupt: skip")
    assert code == 0, text
    said = f"1 bad files replaced so far, such as {bad} (the file is empty)"
    assert (output / "log.txt").read_text().count(said) == 1  # though every epoch meets it


def test_smoothing_needs_a_neuron_for_each_class_and_no_more(tmp_path: Path, folder: Path) -> None:
    _, text, _ = run(tmp_path, folder, "label_smoothing: 0.1", classes=4)
    assert "the output 'answer' must have as many neurons as there are classes (got 4 neurons, 3 classes)" in text


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("scale: [0.5, 0.1]", "data.imagenet: scale must rise (got [0.5, 0.1])"),
        ("scale: [0.5, 2]", "data.imagenet: scale must be at most 1, the whole image (got 2)"),
        ("evaluation_size: 8", "data.imagenet: evaluation_size must be at least size, 12 (got 8)"),
        ("mean: [0.5, 0.5]", "data.imagenet.mean: must"),
        ("packed: x.pack", "data.imagenet: must name a folder or a packed file (got both). Write imagenet: DIR, or"),
        ("flipp: 1", "data.imagenet.flipp: unknown key 'flipp'. Did you mean 'flip'?"),
        ("corrupt: ignore", "data.imagenet.corrupt: must be one of error, skip (got 'ignore')"),
    ],
)
def test_settings_that_make_no_sense(tmp_path: Path, folder: Path, more: str, message: str) -> None:
    _, text, _ = run(tmp_path, folder, more)
    assert message in text
