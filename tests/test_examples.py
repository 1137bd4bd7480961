"""Examples that are started in their own way run as their first lines say."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import counterstream

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
