"""Files that a stranger made, or a disk broke: a named error, and nothing read that is not in the file.

Each is opened and read whole in a child process with a limit on time and memory, since a crash of the HDF5 library,
a hang or an allocation must show here and not end the tests.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from counterstream.analysis import AnalysisError, Run, validate
from counterstream.analysis.tables import TABLES

from .recordings import TEXT, add_signal, record

WEIGHTS = "synapses/image->v1/weights"
SECONDS = 20
READER = """
import resource, sys
import numpy, pandas, h5py, yaml
from counterstream.analysis import AnalysisError, Run, TABLES, run, store, summary, validate
run.PAUSE = store.PAUSE = 0  # what waits for a writer need not wait here
LIMIT = 600 << 20
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize() if sys.platform == "linux" else 0
if used:
    resource.setrlimit(resource.RLIMIT_AS, (used + LIMIT, used + LIMIT))

def read(path):
    with Run.open(path) as run:
        for name in run.synapses:
            run.seen(name)
            len(run.steps) and run.weights(name)
        for name, signal in run.signals.items():
            for quantity in signal.quantities:
                run.signal(name, quantity)
        run.probe(), run.metrics(), run.environment, run.results, summary(run)
        for table in TABLES.values():
            try:
                table(run)
            except AnalysisError as error:
                if "give no number" not in str(error) and "YAML" not in str(error):
                    raise

for path in sys.argv[1:]:
    for check in (read, validate):
        try:
            found = check(path)
            print("problems" if found else "fine", *map(str, found or ()), sep="|")
        except AnalysisError as error:
            print("named|" + " ".join(str(error).split()))
    sys.stdout.flush()
"""


def outcomes(*paths: Path) -> list[str]:
    """For each file two lines: what reading it whole said, and what validating it said."""
    done = subprocess.run(
        [sys.executable, "-c", READER, *map(str, paths)],
        capture_output=True, text=True, timeout=SECONDS + len(paths), check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, f"exit {done.returncode}: {done.stdout[-500:]}{done.stderr[-2000:]}"
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = record(tmp_path_factory.mktemp("hostile") / "good.h5", curve=lambda epoch, depth: 60.0, epochs=2)
    with h5py.File(path, "r+") as file:
        file["signals/step"].resize(1, axis=0)
        file["signals/step"][:] = 0
        file["signals/epoch"].resize(1, axis=0)
        file["signals/epoch"][:] = 0
        add_signal(file, "v1", 4, rate=[np.ones((4, 8))], delta=[np.ones((4, 8))])
    return path


@pytest.fixture(scope="module")
def secret(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that no recording may make us read: a pipe, at which any reader would wait for ever."""
    path = tmp_path_factory.mktemp("elsewhere") / "secret"
    os.mkfifo(path)
    return path


def test_the_whole_one_is_fine(good: Path) -> None:
    assert outcomes(good) == ["fine", "fine"]


Damage = Callable[[h5py.File, Path], None]


def replaced(name: str, make: Callable[[h5py.Group, str, Path], object]) -> Damage:
    """Puts something else where `name` stood."""

    def damage(file: h5py.File, secret: Path) -> None:
        parent, _, last = name.rpartition("/")
        attributes = dict(file[name].attrs) if isinstance(file.get(name), h5py.Dataset) else {}
        del file[name]
        group = file[parent] if parent else file
        make(group, last, secret)
        if isinstance(group.get(last, getlink=True), h5py.HardLink):
            item = group[last]
            if isinstance(item, h5py.Dataset):
                for key, value in attributes.items():
                    if key.islower():
                        item.attrs[key] = value

    return damage


def attribute(name: str, key: str, value: object) -> Damage:
    def damage(file: h5py.File, secret: Path) -> None:
        item = file[name] if name else file
        if value is None:
            del item.attrs[key]
        else:
            item.attrs[key] = file.ref if isinstance(value, str) and value == "reference" else value

    return damage


def huge(group: h5py.Group, name: str, secret: Path) -> None:
    group.create_dataset(name, shape=(10**15, 8, 1, 3, 3), chunks=(1, 8, 1, 3, 3), dtype="<f4")


def wide(group: h5py.Group, name: str, secret: Path) -> None:
    group.create_dataset(name, shape=(3, 10**8, 10**7), chunks=(1, 64, 64), dtype="<f4")


def external_storage(group: h5py.Group, name: str, secret: Path) -> None:
    shape = (3, 8, 1, 3, 3)
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_external(os.fsencode(secret), 0, 4 * int(np.prod(shape)))
    h5py.h5d.create(group.id, name.encode(), h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple(shape), plist)


def virtual(group: h5py.Group, name: str, secret: Path) -> None:
    layout = h5py.VirtualLayout(shape=(3, 8, 1, 3, 3), dtype="<f4")
    layout[:] = h5py.VirtualSource(str(secret), "x", shape=(3, 8, 1, 3, 3))
    group.create_virtual_dataset(name, layout)


def stretched_virtual(group: h5py.Group, name: str, secret: Path) -> None:
    layout = h5py.VirtualLayout(shape=(3,), dtype="<f8", maxshape=(None,))
    source = h5py.VirtualSource(str(secret), "x", shape=(3,), maxshape=(None,))
    layout[0 : h5py.h5s.UNLIMITED] = source[0 : h5py.h5s.UNLIMITED]
    group.create_virtual_dataset(name, layout)


def unknown_filter(group: h5py.Group, name: str, secret: Path) -> None:
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((1, 8, 1, 3, 3))
    plist.set_filter(32026, h5py.h5z.FLAG_OPTIONAL, (1, 2, 3))
    h5py.h5d.create(group.id, name.encode(), h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple((3, 8, 1, 3, 3)), plist)


def large_chunks(group: h5py.Group, name: str, secret: Path) -> None:
    group.create_dataset(name, shape=(3, 1 << 26), chunks=(1, 1 << 26), dtype="<f4", compression="gzip")


VERSION = "'format_version' must be a positive integer"
CASES: dict[str, tuple[Damage, str]] = {
    "another magic": (attribute("", "magic", "other"), "no recording of Counterstream"),
    "no version": (attribute("", "format_version", None), VERSION),
    "version 0": (attribute("", "format_version", np.int64(0)), VERSION),
    "newer": (attribute("", "format_version", np.int64(3)), "format_version must be at most 2 (got 3)"),
    "a textual version": (attribute("", "format_version", "2"), VERSION),
    "a version in an array": (attribute("", "format_version", np.arange(3)), VERSION),
    "a reference as version": (attribute("", "format_version", "reference"), VERSION),
    "no seed": (attribute("", "seed", None), "lacks seed among its attributes"),
    "no precision": (attribute(WEIGHTS, "precision", None), "'precision' must be one of float64"),
    "another precision": (attribute(WEIGHTS, "precision", "float64"), "values must be float64 (got float32)"),
    "a textual position": (attribute(WEIGHTS, "position", "first"), "'position' must be an integer (got 'first')"),
    "an external link": (
        replaced(WEIGHTS, lambda g, n, s: g.__setitem__(n, h5py.ExternalLink(str(s), "/x"))),
        f"/{WEIGHTS}: must be stored in the file itself (got an external link to another file)",
    ),
    "an external group": (
        replaced("signals", lambda g, n, s: g.__setitem__(n, h5py.ExternalLink(str(s), "/"))),
        "/signals: must be stored in the file itself (got an external link to another file)",
    ),
    "an external index": (
        replaced("synapses/step", lambda g, n, s: g.__setitem__(n, h5py.ExternalLink(str(s), "/x"))),
        "/synapses/step: must be stored in the file itself",
    ),
    "a soft link": (
        replaced(WEIGHTS, lambda g, n, s: g.__setitem__(n, h5py.SoftLink("/metrics/loss"))),
        "must be stored in the file itself (got a soft link)",
    ),
    "a soft link to itself": (
        replaced("metrics/loss", lambda g, n, s: g.__setitem__(n, h5py.SoftLink("/metrics/loss"))),
        "fine",
    ),
    "external storage": (replaced(WEIGHTS, external_storage), "got external storage in another file"),
    "a virtual dataset": (replaced(WEIGHTS, virtual), "got a virtual dataset"),
    "a stretched virtual index": (replaced("metrics/epoch", stretched_virtual), "got a virtual dataset"),
    "an unknown filter": (replaced(WEIGHTS, unknown_filter), "filter must be known to HDF5 here (got 32026 (blosc2))"),
    "10^15 rows": (replaced(WEIGHTS, huge), "must be stored in 3 chunks (got 0)"),
    "10^15 values a row": (replaced(WEIGHTS, wide), "must be stored in"),
    "chunks of 256 MB": (replaced(WEIGHTS, large_chunks), "chunks must hold at most 16777216 bytes (got 268435456)"),
    "a named type": (
        replaced(WEIGHTS, lambda g, n, s: g.__setitem__(n, np.dtype("<f4"))),
        "must be a group or a dataset (got a named type)",
    ),
    "a group as weights": (replaced(WEIGHTS, lambda g, n, s: g.create_group(n)), "must be a dataset (got a group)"),
    "a dataset as group": (
        replaced("signals", lambda g, n, s: g.create_dataset(n, data=1)), "must be a group (got a dataset)"),
    "weights of text": (
        replaced(WEIGHTS, lambda g, n, s: g.create_dataset(n, data=["x"] * 3, dtype=TEXT)),
        "values must be float32 (got text)",
    ),
    "weights of references": (
        replaced(WEIGHTS, lambda g, n, s: g.create_dataset(n, shape=(3, 2), dtype=h5py.ref_dtype)),
        "values must be float32 (got an object reference)",
    ),
    "weights without shape": (
        replaced(WEIGHTS, lambda g, n, s: g.create_dataset(n, data=h5py.Empty("<f4"))),
        "must have rows of at least one value",
    ),
    "weights of one axis": (
        replaced(WEIGHTS, lambda g, n, s: g.create_dataset(n, data=np.ones(3, "<f4"))),
        "must have rows of at least one value (got shape (3,))",
    ),
    "big-endian weights": (
        replaced(WEIGHTS, lambda g, n, s: g.create_dataset(n, data=np.ones((3, 8, 1, 3, 3), ">f4"))),
        "values must be float32 (got >f4)",
    ),
    "too few rows": (
        replaced(WEIGHTS, lambda g, n, s: g.create_dataset(n, data=np.ones((2, 8, 1, 3, 3), "<f4"))),
        "must hold the 3 confirmed rows (got shape (2, 8, 1, 3, 3))",
    ),
    "another shape than W's": (
        replaced(
            "synapses/pooled->digit~/weights",
            lambda g, n, s: g.create_dataset(n, data=np.ones((3, 24, 10), "<f4")),
        ),
        "must have the shape (10, 24) of 'pooled->digit'",
    ),
    "an index of 10^15": (
        replaced("metrics/step", lambda g, n, s: g.create_dataset(n, shape=(10**15,), chunks=(512,), dtype="<i8")),
        "fine",  # none of it is stored, so none of it is confirmed
    ),
    "a metric of 10^15": (
        replaced("metrics/loss", lambda g, n, s: g.create_dataset(n, shape=(10**15,), chunks=(512,), dtype="<f8")),
        "must be stored in 1 chunks (got 0)",
    ),
    "an index of floats": (
        replaced("synapses/step", lambda g, n, s: g.create_dataset(n, data=np.arange(3.0), chunks=(3,))),
        "values must be int64 (got float64)",
    ),
    "a table as index": (
        replaced("synapses/step", lambda g, n, s: g.create_dataset(n, data=np.ones((3, 3), "<i8"), chunks=(3, 3))),
        "must be a chunked column",
    ),
    "an unseen mask of another shape": (
        lambda file, secret: file["synapses/image->v1"].create_dataset("unseen", data=np.ones(3, np.uint8)) and None,
        "must have the weights' shape (8, 1, 3, 3) (got (3,))",
    ),
    "a circuit of numbers": (
        replaced("circuit", lambda g, n, s: g.create_dataset(n, data=np.ones(3))), "got float64 of shape (3,)"),
    "a group within itself": (
        lambda file, secret: file["synapses"].__setitem__("loop", file["synapses"]),
        "/synapses/loop/weights: it lacks this",
    ),
    "the root within itself": (
        lambda file, secret: file["alignment/populations"].__setitem__("loop", file["/"]),
        "/alignment/populations/loop/delta_angle: it lacks this",
    ),
    "signals without quantities": (
        lambda file, secret: file["signals"].create_group("v9") and None, "must hold rate or delta (got neither)",
    ),
    "steps beyond counting": (attribute("", "unknown", "x" * 60_000), "fine"),
    "a name of no encoding": (
        lambda file, secret: h5py.h5g.create(file["synapses"].id, b"\xff\xfe") and None,
        "/synapses: names must be UTF-8 (got",
    ),
}  # fmt: skip


@pytest.mark.slow
def test_each_is_named(good: Path, secret: Path, tmp_path: Path) -> None:
    """One child reads them all: a hang or a crash in any of them fails the test, with what it had printed before."""
    paths = []
    for number, (damage, _) in enumerate(CASES.values()):
        paths.append(Path(shutil.copy(good, tmp_path / f"{number}.h5")))
        with h5py.File(paths[-1], "r+") as file:
            damage(file, secret)
    lines = outcomes(*paths)
    wrong = []
    for (case, (_, message)), read, validated in zip(CASES.items(), lines[::2], lines[1::2], strict=True):
        if message == "fine":
            expected = read == "fine"
        else:
            expected = read.startswith("named|") and message in read and not validated.startswith("fine")
        if not expected:
            wrong.append(f"{case}: {read} / {validated}")
    assert not wrong, "\n".join(wrong)


def test_huge_attributes_are_left_alone(good: Path, tmp_path: Path) -> None:
    """An attribute of 30 MB, which HDF5 keeps in dense storage in its later formats."""
    path = tmp_path / "huge.h5"
    with h5py.File(good) as source, h5py.File(path, "w", libver="latest") as file:
        for name in source:
            source.copy(name, file)
        file.attrs.update(source.attrs)
        file.attrs["message"] = np.zeros(30 << 20, np.uint8)
    read, validated = outcomes(path)
    assert "lacks message among its attributes" in read
    assert "attribute 'message' must be one value (got 31457280)" in validated


def test_truncated_anywhere(good: Path, tmp_path: Path) -> None:
    content = good.read_bytes()
    lengths = sorted({*range(0, 200, 19), *(len(content) * share // 25 for share in range(25))})
    paths = [tmp_path / f"{length}.h5" for length in lengths]
    for path, length in zip(paths, lengths, strict=True):
        path.write_bytes(content[:length])
    lines = outcomes(*paths)
    assert len(lines) == 2 * len(paths)
    assert all(line.startswith("named|") for line in lines), [line for line in lines if not line.startswith("named|")]


def test_cut_while_it_is_read(good: Path, tmp_path: Path) -> None:
    """A file that shrinks after it was opened ends in a named error, too."""
    path = Path(shutil.copy(good, tmp_path / "cut.h5"))
    with Run.open(path) as run:
        assert run.pairs
        os.truncate(path, 5000)
        with pytest.raises(AnalysisError, match=r"cut\.h5: "):
            TABLES["matrix_angles"](run)


FLIPS = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=6)


@given(st.lists(FLIPS, min_size=6, max_size=6))
@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_flipped_bytes(good: Path, tmp_path: Path, variants: list[list[tuple[float, int]]]) -> None:
    """All variants of one example in one child: read, or refused by name, within the time.

    HDF5 itself may crash on such files; the reader cannot catch that in its own process, which is what
    `counterstream validate` has a child for. So a signal is let pass here, a hang or another exception is not.
    """
    content = good.read_bytes()
    paths = []
    for number, flips in enumerate(variants):
        damaged = bytearray(content)
        for place, value in flips:
            damaged[int(place * len(content))] ^= value or 1
        paths.append(tmp_path / f"{number}.h5")
        paths[-1].write_bytes(damaged)
    done = subprocess.run(
        [sys.executable, "-c", READER, *map(str, paths)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode <= 0, done.stderr[-2000:]


def test_validate_names_several_things_at_once(good: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(good, tmp_path / "several.h5"))
    with h5py.File(path, "r+") as file:
        del file.attrs["created"]
        file.attrs.modify("status", "done")
        file["synapses/step"][:] = [0, 5, 5]
        file["alignment/populations/v1/delta_angle"][0] = 181
        file["results"].attrs["table"] = np.arange(3)
        file["experiment"][()] = "a: ]"
        del file["synapses/image->v1/step"]
        file["synapses/image->v1/step"] = np.arange(3)
    found = [str(problem) for problem in validate(path)]
    for expected in (
        "/: attribute 'created' must be there, text",
        "/: attribute 'status' must be one of running, complete, interrupted, failed (got 'done')",
        "/synapses/step: confirmed steps must increase strictly (got 5, 5)",
        "/alignment/populations/v1/delta_angle: angles must lie between 0 and 180 degrees, or be NaN",
        "/results: attribute 'table' must be one value (got 3)",
        "/synapses/image->v1/step: must be a hard link to /synapses/step",
    ):
        assert expected in found, found
    assert any(text.startswith("/experiment: must be YAML") for text in found)
    assert len(found) == 7
