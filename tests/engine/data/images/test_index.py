"""The cache of indices: used where nothing changed, made anew where a file came or went."""

import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from counterstream.engine.data import DataError
from counterstream.engine.data.images import index as module
from counterstream.engine.data.images.index import CACHE, indexed
from counterstream.engine.data.images.layout import Layout

LONG_AGO = 1_000_000_000


def made(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return root


def settle(root: Path) -> None:
    """As if the folders had not changed for long."""
    for folder, _, _ in os.walk(root):
        os.utime(folder, ns=(LONG_AGO, LONG_AGO))


def test_the_folder_is_listed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(tmp_path, "train/a/1.jpg", "train/b/1.jpg", "val/a/1.jpg")
    settle(tmp_path)
    first = Layout(tmp_path).train()
    monkeypatch.setattr("counterstream.engine.data.images.layout._images", None)  # to list would fail
    again = Layout(tmp_path).train()
    assert again.file == first.file
    assert again.labels.tolist() == first.labels.tolist()


@pytest.mark.parametrize(
    "change",
    [
        lambda root: made(root, "train/a/2.jpg"),
        lambda root: (root / "train/b/1.jpg").unlink(),
        lambda root: (root / "train/b/1.jpg").rename(root / "train/b/2.jpg"),
        lambda root: made(root, "train/c/1.jpg"),
    ],
    ids=["added", "removed", "renamed", "new class"],
)
def test_a_change_is_seen(tmp_path: Path, change: Callable[[Path], object]) -> None:
    made(tmp_path, "train/a/1.jpg", "train/b/1.jpg", "train/b/3.jpg", "val/a/1.jpg")
    settle(tmp_path)
    before = Layout(tmp_path).train()
    change(tmp_path)
    after = Layout(tmp_path).train()
    listed = sorted(path.relative_to(tmp_path / "train").as_posix() for path in (tmp_path / "train").glob("*/*"))
    assert [after.name(i) for i in range(len(after))] == listed
    assert after.file != before.file


def test_a_folder_that_changed_just_now_is_listed_again(tmp_path: Path) -> None:
    """Its time may stay the same though it changes once more, within a tick of the file system's clock."""
    made(tmp_path, "train/a/1.jpg", "val/a/1.jpg")
    first = Layout(tmp_path).train()
    now = (tmp_path / "train/a").stat().st_mtime_ns
    made(tmp_path, "train/a/2.jpg")
    os.utime(tmp_path / "train/a", ns=(now, now))
    assert len(first) == 1
    assert len(Layout(tmp_path).train()) == 2


def test_a_broken_cache_is_made_anew(tmp_path: Path) -> None:
    made(tmp_path, "train/a/1.jpg", "val/a/1.jpg")
    settle(tmp_path)
    first = Layout(tmp_path).train()
    for content in (b"", b"nothing", first.file.read_bytes()[:-40]):
        first.file.write_bytes(content)
        assert Layout(tmp_path).train().name(0) == "a/1.jpg"


def test_an_index_that_cannot_be_written_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.stacked, "write", full)
    with pytest.raises(DataError, match=r"must be written \(.*No space left.*\)\. Set COUNTERSTREAM_CACHE to another"):
        indexed(tmp_path, [("a", 1)], lambda: [(0, ["1.jpg"])])


def test_a_cache_that_is_no_folder_is_avoided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv(CACHE, str(tmp_path / "file"))
    made(tmp_path, "train/a/1.jpg", "val/a/1.jpg")
    assert Layout(tmp_path).train().name(0) == "a/1.jpg"


def test_old_indices_are_removed(tmp_path: Path) -> None:
    made(tmp_path, "train/a/1.jpg", "val/a/1.jpg")
    settle(tmp_path)
    first = Layout(tmp_path).train()
    os.utime(first.file, (0, 0))
    made(tmp_path, "train/a/2.jpg")
    Layout(tmp_path).train()
    assert not first.file.exists()


LOOK = """
import pickle, sys
import numpy as np
from pathlib import Path
from counterstream.engine.data.images import index, stacked  # what a worker has loaded anyway

def own() -> int:
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Anonymous"))

before = own()
found = pickle.loads(bytes.fromhex(sys.argv[1]))
for position in np.random.default_rng(0).integers(len(found), size=5000):
    assert found.name(int(position)) == f"n{position // 1000:08d}/n{position // 1000:08d}_{position % 1000}.JPEG"
print(own() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="memory of one's own is told by Linux")
def test_a_million_files_open_at_once_and_cost_a_worker_nothing(tmp_path: Path) -> None:
    """Their names and labels are 40 MB on the disk, shared by all processes; a list of them would be 200 MB in each."""
    classes = [f"n{label:08d}" for label in range(1000)]

    def listing() -> Iterator[tuple[int, list[str]]]:
        for label, name in enumerate(classes):
            yield label, [f"{name}/{name}_{image}.JPEG" for image in range(1000)]

    seen = [(name, LONG_AGO) for name in classes]
    made_now = indexed(tmp_path, seen, listing)
    started = time.perf_counter()
    again = indexed(tmp_path, seen, lambda: pytest.fail("listed again"))
    assert time.perf_counter() - started < 1
    assert (again.file, len(again)) == (made_now.file, 1_000_000)
    done = subprocess.run(
        [sys.executable, "-c", LOOK, pickle.dumps(again).hex()], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 4000  # KB, and as much for an index of ten files
