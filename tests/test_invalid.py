"""Every file under invalid/ is refused with exactly the problems that its last lines expect, in the order of the file.

`# expect: LINE:COLUMN: PATH: TEXT` gives the beginning of one problem. Files in invalid/ are circuits, those in
invalid/learning/ learning systems.
"""

import time
from pathlib import Path

import pytest

import counterstream as cs
from counterstream.models import load_learning

FOLDER = Path(__file__).parent / "invalid"
CIRCUITS = sorted(FOLDER.glob("*.yaml"))
SYSTEMS = sorted(FOLDER.glob("learning/*.yaml"))


def expected(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.removeprefix("# expect:").strip() for line in lines if line.startswith("# expect:")]


def agree(found: cs.CircuitError, path: Path) -> None:
    texts = [str(problem).removeprefix(str(path)).lstrip(": ") for problem in found.problems]
    wanted = expected(path)
    assert len(texts) == len(wanted), "\n".join(texts)
    for text, beginning in zip(texts, wanted, strict=True):
        assert text.startswith(beginning)
    assert [problem.location for problem in found.problems] == sorted(problem.location for problem in found.problems)


@pytest.mark.parametrize("path", CIRCUITS, ids=lambda path: path.stem)
def test_circuits(path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(cs.CircuitError) as caught:
        cs.load(path)
    assert time.monotonic() - began < 2
    assert caught.value.exit_code == 2
    agree(caught.value, path)


@pytest.mark.parametrize("path", SYSTEMS, ids=lambda path: path.stem)
def test_learning_systems(path: Path) -> None:
    with pytest.raises(cs.CircuitError) as caught:
        load_learning(path)
    agree(caught.value, path)


def test_every_file_says_what_it_expects() -> None:
    assert len(CIRCUITS) > 150
    assert all(expected(path) for path in (*CIRCUITS, *SYSTEMS))
