"""Our engines pass the suite that other packages run, and the suite finds what is wrong with an engine."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import counterstream
from counterstream.engine.backends import available_engines

HERE = Path(counterstream.__file__).parent.parent

LAME = '''
"""The reference without angles and with a wrong tanh."""
from counterstream.engine.backends.reference import ReferenceEngine

class Lame(ReferenceEngine):
    name = "lame"
    dtypes = ("float64",)
    operations = ReferenceEngine.operations - {"angle"}
    expected_failures = EXCUSES

    def _evaluate(self, value, operands, supplied):
        found = super()._evaluate(value, operands, supplied)
        is_tanh = value.operation == "transfer" and value["function"] == "tanh"
        return found * 1.001 if is_tanh else found
'''
METADATA = "Metadata-Version: 2.1\nName: lame\nVersion: 1.0\n"
ENTRY = "[counterstream.engines]\nlame = lame:Lame\n"


def run_suite(folder: Path, *arguments: str, modules: str = "") -> subprocess.CompletedProcess[str]:
    """As another package would run it, from a folder of its own; what lies there can be imported."""
    environment = os.environ | {
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONPATH": os.pathsep.join(map(str, (folder, HERE))),
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "counterstream.testing.plugin"]
    return subprocess.run(
        [*command, "--pyargs", f"counterstream.testing.conformance{modules}", *arguments],
        capture_output=True, text=True, check=False, timeout=1200, cwd=folder, env=environment,
    )  # fmt: skip


def check_passed(done: subprocess.CompletedProcess[str]) -> None:
    """Every test passed: none failed, none was skipped."""
    assert done.returncode == pytest.ExitCode.OK, done.stdout + done.stderr
    assert "skipped" not in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["reference", "torch"])
def test_conforms(engine: str, tmp_path: Path) -> None:
    check_passed(run_suite(tmp_path, "--engine", engine, "--examples", "5"))


@pytest.mark.gpu
def test_torch_conforms_on_cuda(tmp_path: Path) -> None:
    check_passed(run_suite(tmp_path, "--engine", "torch", "--device", "cuda"))


@pytest.mark.slow
def test_inductor_conforms(tmp_path: Path) -> None:
    """Compiling takes its time: the contract, and steps of one system. docs/support.md holds the whole."""
    check_passed(run_suite(tmp_path, "--engine", "inductor", "-k", "contract or learning_system and kolen_pollack"))


@pytest.mark.slow
def test_jax_conforms(tmp_path: Path) -> None:
    if "jax" not in available_engines():
        pytest.skip("the engine of examples/engine-jax is not installed: pip install ./examples/engine-jax")
    check_passed(run_suite(tmp_path, "--engine", "jax", "--examples", "5"))


# ---- what it finds


def install_lame(folder: Path, excuses: dict[str, str]) -> None:
    (folder / "lame.py").write_text(LAME.replace("EXCUSES", repr(excuses)), encoding="utf-8")
    metadata = folder / "lame-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(METADATA, encoding="utf-8")
    (metadata / "entry_points.txt").write_text(ENTRY, encoding="utf-8")


def test_an_engine_that_is_not_there_has_not_passed(tmp_path: Path) -> None:
    done = run_suite(tmp_path, "--engine", "abacus")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "engine must be an installed one (got 'abacus')" in done.stderr
    unnamed = run_suite(tmp_path)
    assert unnamed.returncode == pytest.ExitCode.INTERRUPTED
    assert "tests an engine: name it, --engine NAME" in unnamed.stdout


def test_what_is_missing_or_wrong_fails_unless_it_is_declared(tmp_path: Path) -> None:
    install_lame(tmp_path, {"*[float64-angle]": "no angles yet", "test_operation[float64-norm]": "no lengths yet"})
    table = tmp_path / "support.md"
    done = run_suite(tmp_path, "--engine", "lame", "--support-table", str(table), modules=".test_operations")
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    failed = [line.split(" - ")[0] for line in done.stdout.splitlines() if line.startswith("FAILED")]
    assert [line.rpartition("::")[2] for line in failed] == [
        "test_operation[lame-float64-transfer-tanh]",
        "test_operation[lame-float64-gate-tanh]",
        "test_operation[lame-float64-norm]",  # an excuse for what works is stale
        "test_small_angles_of_many_numbers[lame-float64]",
    ]
    assert "1 xfailed" in done.stdout
    text = table.read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (\w+) \| (.*) \|$", text, re.M))
    assert rows["add"] == "float64"
    assert rows["transfer"] == "no (1)"
    assert rows["angle"] == "no (2)"
    assert "2. no angles yet" in text


def test_an_excuse_for_a_test_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    install_lame(tmp_path, {"test_operation[float64-angel]": "no angels yet"})
    done = run_suite(tmp_path, "--engine", "lame", "--collect-only")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "expected failure 'test_operation[float64-angel]' must name a test of the suite" in done.stderr
