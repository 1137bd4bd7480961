"""The pytest plug-in: an option and a fixture, which harm nobody who has an option of the same name."""

import os
import subprocess
import sys
from pathlib import Path

import counterstream

TEST = """
def test_engine(counterstream_engine):
    assert counterstream_engine == "reference"
"""
RIVAL = """
def pytest_addoption(parser):
    parser.addoption("--engine", default="steam")

def pytest_configure(config):
    assert config.getoption("--engine") == "steam"
"""
HERE = Path(counterstream.__file__).parent.parent


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """In `folder`, with no plug-in but this one and those of `arguments`."""
    environment = os.environ | {
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONPATH": os.pathsep.join(map(str, (folder, HERE))),
    }
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "counterstream.testing.plugin", *arguments],
        capture_output=True, text=True, check=False, timeout=60, cwd=folder, env=environment,
    )  # fmt: skip


def test_the_option_reaches_the_fixture(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TEST)
    done = run_pytest(tmp_path, "--counterstream-engine", "reference")
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_has_a_short_name_where_tests_of_the_package_run(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TEST)
    done = run_pytest(tmp_path, "--engine", "reference", "--pyargs", "counterstream.testing.strategies", "test_it")
    assert done.returncode == 0, done.stdout + done.stderr


def test_others_may_have_the_short_name(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(RIVAL)
    (tmp_path / "test_it.py").write_text(TEST)
    done = run_pytest(tmp_path, "--counterstream-engine", "reference", "test_it.py")
    assert done.returncode == 0, done.stdout + done.stderr
