"""The tutorial on analysis, run as a reader runs it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import counterstream

TUTORIAL = Path(counterstream.__file__).parent / "docs" / "analysis-tutorial.py"


@pytest.mark.slow
def test_the_tutorial_runs_from_run_to_figures(tmp_path: Path) -> None:
    pytest.importorskip("xarray", reason="the tutorial reads with xarray, too")
    pytest.importorskip("h5netcdf", reason="with which xarray reads HDF5")
    environment = os.environ | {"MPLBACKEND": "Agg", "PYTHONWARNINGS": "error"}
    done = subprocess.run(
        [sys.executable, TUTORIAL],
        capture_output=True, text=True, check=False, timeout=300, cwd=tmp_path, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "counterstream report tutorial/runs -o report.html" in done.stdout  # where `run` says what to do next
    left = {path.name for path in (tmp_path / "tutorial").iterdir()}
    report = (tmp_path / "tutorial" / "report.html").read_text(encoding="utf-8")
    assert re.search(r"kolen_pollack: 3 projections, off by at most [\d.e-]+ % at any record", report)
    assert "weight_mirror: angles at the end" in report
    assert left == {"experiment.yaml", "runs", "angles.png", "depth.pdf", "layers.png", "report.html"}


def test_every_cell_is_one() -> None:
    """In the percent format a cell begins with `# %%`; text cells are comments throughout."""
    cells = TUTORIAL.read_text(encoding="utf-8").split("\n# %%")[1:]
    assert len(cells) > 20
    for cell in cells:
        kind, _, body = cell.partition("\n")
        assert kind in ("", " [markdown]")
        if kind:
            assert all(line.startswith("#") for line in body.splitlines() if line)
        else:
            compile(body, "cell", "exec")
