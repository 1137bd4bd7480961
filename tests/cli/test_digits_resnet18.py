"""The ResNet-18 experiment as it ships, whole: it learns under all five systems, with margins for other machines."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import counterstream

EXPERIMENT = Path(counterstream.__file__).parent / "models" / "experiments" / "digits_resnet18.yaml"


@pytest.mark.slow
def test_a_resnet_18_learns_the_digits_under_five_systems(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    command = [sys.executable, "-m", "counterstream", "run", str(EXPERIMENT), "--output", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stderr
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    rows = {row["system"]: row for row in summary["systems"]}
    assert {name: row["transports_weights"] for name, row in rows.items()} == {
        "backprop": True,
        "feedback_alignment": False,
        "sign_symmetry": True,
        "weight_mirror": False,
        "kolen_pollack": False,
    }
    accuracy = {name: row["test_accuracy"] for name, row in rows.items()}
    assert min(accuracy, key=accuracy.__getitem__) == "feedback_alignment"
    assert accuracy.pop("feedback_alignment") > 0.6  # chance is 0.1
    assert min(accuracy.values()) > 0.93
    assert rows["weight_mirror"]["median_matrix_angle"] == pytest.approx(8, rel=0.1)  # what its file declares
    assert rows["weight_mirror"]["largest_matrix_angle"] < 11
    assert rows["kolen_pollack"]["median_matrix_angle"] < 60
