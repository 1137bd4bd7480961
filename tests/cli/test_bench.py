"""`counterstream bench`: files, a table, what to do next; and what cannot be timed."""

import json
from pathlib import Path

import pytest

from .commands import counterstream

TINY = """
name: tiny
populations: {image: {input: [4]}, h: {transfer: tanh}, answer: {transfer: softmax}}
projections:
  - {from: image, to: h, wiring: {dense: {size: 5}}}
  - {from: h, to: answer, wiring: {dense: {size: 3}}}
"""


@pytest.mark.slow
def test_bench(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(TINY)
    done = counterstream(
        "bench", "tiny.yaml", "--learning", "backprop", "--batch", 4, "--steps", 2, "-o", "out", folder=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "| backprop/torch | " in done.stdout
    assert "Next: counterstream explain tiny.yaml" in done.stdout
    assert "timing 2 steps each" in done.stderr
    found = json.loads((tmp_path / "out/bench.json").read_text())
    assert [one["name"] for one in found["measured"]] == ["autograd", "backprop/torch"]
    assert (tmp_path / "out/bench.md").read_text() in done.stdout


def test_an_unknown_contender_is_an_error(tmp_path: Path) -> None:
    done = counterstream("bench", "--against", "autogard", folder=tmp_path)
    assert done.returncode == 2
    assert "unknown contender 'autogard'. Did you mean 'autograd'" in done.stderr
    assert "Traceback" not in done.stderr
