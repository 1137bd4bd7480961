"""The fuzzer, briefly; and that it would notice what it is there to notice.

Run for long: `python -m fuzz --inputs 100000 --log fuzz/log.txt`.
"""

import importlib.util
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


def fuzz(inputs: int, log: Path) -> subprocess.CompletedProcess[str]:
    """The fuzzer's command."""
    return subprocess.run(
        [sys.executable, "-m", "fuzz", "--inputs", str(inputs), "--seed", "7", "--log", str(log)],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        cwd=ROOT,
    )


@pytest.mark.parametrize("inputs", [100, pytest.param(3000, marks=pytest.mark.slow)])
def test_no_promise_is_broken(inputs: int, tmp_path: Path) -> None:
    done = fuzz(inputs, tmp_path / "log.txt")
    said = (tmp_path / "log.txt").read_text(encoding="utf-8") if done.returncode in (0, 1) else done.stderr
    assert done.returncode == 0, said[-5000:]
    assert said.startswith(f"{inputs} inputs, 0 findings\n")
    assert "loads" in said
    assert said == done.stdout.removesuffix("\n")


@pytest.fixture
def guard(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT)
    from fuzz import guard as module

    return module


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda folder: eval("1 + 1"), "exec"),
        (lambda folder: compile("x = 1", "f", "exec"), "compile"),
        (lambda folder: (folder / "new").write_text("x"), "open"),
        (lambda folder: subprocess.run(["true"], check=True), "subprocess.Popen"),
        (lambda folder: warnings.warn("odd", stacklevel=1), "it warns, which a command prints: odd"),
        (lambda folder: importlib.util.find_spec("this_module_is_not_there.inside"), "import"),
    ],
)
def test_the_guard_hears_what_reading_may_not_do(
    act: Callable[[Path], object], says: str, tmp_path: Path, guard: ModuleType
) -> None:
    with pytest.raises(guard.Forbidden, match=says), guard.watched(), suppress(ModuleNotFoundError):
        act(tmp_path)


def test_the_guard_lets_reading_pass(tmp_path: Path, guard: ModuleType) -> None:
    import ast

    (tmp_path / "f").write_text("1 + 1")
    with guard.watched():
        ast.parse((tmp_path / "f").read_text())


def test_the_guard_ends_what_takes_too_long(guard: ModuleType) -> None:
    with pytest.raises(guard.Forbidden, match="processor time"), guard.watched(seconds=0.01):
        sum(range(5_000_000))


def test_the_guard_ends_what_never_answers(tmp_path: Path, guard: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "_HOPELESS", 0.1)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(guard.Forbidden, match="a hang"), guard.watched():
        (tmp_path / "pipe").read_text()


@pytest.mark.parametrize(
    ("error", "says"),
    [
        ("CircuitError(Problem('no place'))", "no place"),
        ("CircuitError(Problem('x' * 5000, 'p' * 5000, Location('f', 1, 1)))", None),
        ("CounterstreamError('')", "cannot be printed"),
    ],
)
def test_refusals_are_judged(error: str, says: str | None, guard: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    from counterstream.circuits.errors import CircuitError, CounterstreamError, Location, Problem
    from fuzz import targets

    kinds = {"CircuitError": CircuitError, "CounterstreamError": CounterstreamError}
    made = eval(error, {**kinds, "Location": Location, "Problem": Problem})

    def loads(*_: object, **__: object) -> None:
        raise made

    monkeypatch.setattr(targets.cs, "loads", loads)
    if says is None:
        assert targets.circuit("") is made
    else:
        with pytest.raises(targets.Broken, match=says):
            targets.circuit("")


def test_what_does_not_load_again_is_noticed(guard: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    from fuzz import corpus, targets

    assert targets.circuit(corpus.explicit()[0]) is None
    other = corpus.compact()[0]
    monkeypatch.setattr(targets.cs, "dump", lambda _: other)
    with pytest.raises(targets.Broken, match="loading what was dumped"):
        targets.circuit(corpus.explicit()[0])
