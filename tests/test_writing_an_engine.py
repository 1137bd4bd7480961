"""docs/writing-an-engine.md: its contract and its operations are those of the code, and its engine runs."""

import inspect
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import counterstream
from counterstream.engine.backends import Engine
from counterstream.engine.compiler.operations import OPERATIONS

ROOT = Path(counterstream.__file__).parent
DOCUMENT = ROOT / "docs" / "writing-an-engine.md"

pytestmark = pytest.mark.skipif(not DOCUMENT.exists(), reason="installed without its repository")


def words(text: str) -> str:
    return " ".join(text.split())


def block(marker: str) -> str:
    """The code block after a marker."""
    text = DOCUMENT.read_text(encoding="utf-8")
    found = re.search(rf"<!-- {re.escape(marker)} -->\n```\w*\n(.*?)```", text, re.S)
    assert found, marker
    return found[1]


def test_the_contract_is_the_code_s() -> None:
    contract = inspect.getdoc(Engine) or ""
    text = DOCUMENT.read_text(encoding="utf-8").partition("<!-- contract -->")[2]
    assert words(text).startswith(words(contract.partition("\n\n")[2]))


def test_the_operations_are_the_compiler_s() -> None:
    """Each in one sentence, in the table's order."""
    escaped = lambda text: text.replace("|", r"\|") or "-"
    expected = [
        f"| `{name}` | {each.inputs or '-'} | {escaped(each.attributes)} | {escaped(each.meaning)} |"
        for name, each in OPERATIONS.items()
    ]
    table = DOCUMENT.read_text(encoding="utf-8").partition("<!-- operations -->")[2].partition("\n## ")[0]
    assert [line for line in table.splitlines() if line.startswith("| `")] == expected


@pytest.fixture
def abacus(tmp_path: Path) -> Path:
    """A folder in which the page's engine is as if installed."""
    (tmp_path / "abacus.py").write_text(block("file: abacus.py"), encoding="utf-8")
    project = tomllib.loads(block("file: pyproject.toml"))["project"]
    metadata = tmp_path / "counterstream_abacus-0.1.dist-info"
    metadata.mkdir()
    named = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (metadata / "METADATA").write_text(named, encoding="utf-8")
    lines = (
        f"[{group}]\n" + "".join(f"{name} = {place}\n" for name, place in entries.items())
        for group, entries in project["entry-points"].items()
    )
    (metadata / "entry_points.txt").write_text("".join(lines), encoding="utf-8")
    return tmp_path


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python in that folder."""
    paths = os.pathsep.join(map(str, (folder, ROOT.parent)))
    environment = os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, cwd=folder, env=environment
    )


def test_the_small_engine_learns(abacus: Path) -> None:
    done = run(abacus, "-c", block("python: abacus"))
    assert done.returncode == 0, done.stderr
    assert float(re.findall(r"'accuracy': ([\d.]+)", done.stdout)[0]) > 0.9


def test_it_is_listed_with_its_package(abacus: Path) -> None:
    done = run(abacus, "-m", "counterstream", "list")
    assert re.search(r"^  abacus +counterstream-abacus 0\.1, abacus:Abacus$", done.stdout, re.M)


BEYOND = """
import counterstream as cs, numpy as np
circuit = cs.load("mlp", options={"size": [1, 8, 8], "width": 8, "depth": 1, "transfer": "tanh"})
try:
    cs.compile(circuit, engine="abacus", dtype="float64").step(np.ones((2, 1, 8, 8)), [0, 1])
except cs.CounterstreamError as error:
    print(error)
"""
EXPERIMENT = """
format: 1
name: beyond
circuit: mlp
options: {size: [1, 8, 8], width: 8}
learning: [backprop]
data: digits
engine: abacus
dtype: float64
epochs: 1
seeds: [0]
"""


def test_what_it_lacks_is_named(abacus: Path) -> None:
    done = run(abacus, "-c", BEYOND)
    assert done.stdout == block("message"), done.stderr


@pytest.mark.slow
def test_in_a_run_without_a_traceback(abacus: Path) -> None:
    """A run measures angles, which the small engine has not."""
    (abacus / "beyond.yaml").write_text(EXPERIMENT, encoding="utf-8")
    done = run(abacus, "-m", "counterstream", "run", "beyond.yaml")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert re.search(
        r"engine 'abacus': program 'alignment', value \d+: operation 'angle' is not supported\. Use engine='reference'",
        done.stderr,
    )


def test_the_support_table_knows_every_operation() -> None:
    table = (ROOT / "docs" / "support.md").read_text(encoding="utf-8")
    operations = table.partition("## Operations")[2].partition("\n## ")[0]
    assert re.findall(r"^\| (\w+) \|", operations, re.M) == list(OPERATIONS)
    assert re.findall(r"^\| \| (.*) \|$", operations, re.M) == ["reference | torch | jax"]
