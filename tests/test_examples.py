"""Examples that are started in their own way run as their first lines say."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import counterstream
from counterstream.engine.backends import available_engines

EXAMPLES = Path(counterstream.__file__).parent / "examples"

pytestmark = pytest.mark.skipif(not EXAMPLES.exists(), reason="installed without its repository")


@pytest.mark.slow
def test_two_ranks_learn_the_digits(tmp_path: Path) -> None:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*torchrun, EXAMPLES / "two_ranks.py"],
        capture_output=True, text=True, check=False, timeout=120, cwd=tmp_path, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    accuracies = [float(found) for found in re.findall(r"'accuracy': ([\d.]+)", done.stdout)]
    assert len(accuracies) == 4  # one an epoch: rank 0 alone reports
    assert accuracies[-1] > 0.8


@pytest.mark.slow
def test_the_jax_engine_trains_the_digits(tmp_path: Path) -> None:
    if "jax" not in available_engines():
        pytest.skip("the engine of examples/engine-jax is not installed: pip install ./examples/engine-jax")
    demo = [sys.executable, "-m", "counterstream", "demo", "--engine", "jax"]
    done = subprocess.run(
        [*demo, "--systems", "kolen_pollack", "--seeds", "1", "--epochs", "2", "--output", tmp_path / "demo"],
        capture_output=True, text=True, check=False, timeout=600, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (learned,) = json.loads((tmp_path / "demo" / "summary.json").read_text())["systems"]
    assert learned["test_accuracy"] > 0.8
