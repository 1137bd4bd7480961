"""Every row of the tables in docs/hdf5-format.md, its axes and its columns: broken one at a time, and named."""

import shutil
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from counterstream.analysis import validate
from counterstream.analysis.errors import Damage
from counterstream.analysis.validation import attributes
from counterstream.analysis.validation.compressed import check_compressed
from counterstream.engine.recorder import About, Alignment, Metrics, Recorder, Signal, Signals, Synapse, Weights

from .recordings import add_signal, begun, pair, record

DOCUMENT = Path(__file__).parents[2] / "docs" / "hdf5-format.md"
W, B = "synapses/image->v1/weights", "synapses/pooled->digit~/weights"
RATE = "signals/v1/rate"
MATRIX, RATIO = (f"alignment/projections/pooled->digit/{name}" for name in ("matrix_angle", "norm_ratio"))
DELTA = "alignment/populations/v1/delta_angle"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = record(tmp_path_factory.mktemp("validation") / "good.h5", curve=lambda epoch, depth: 60.0, epochs=2)
    with h5py.File(path, "r+") as file:
        for name in ("step", "epoch"):
            file["signals"][name].resize(1, axis=0)
            file["signals"][name][:] = 0
        add_signal(file, "v1", 4, rate=[np.ones((4, 8))], delta=[np.ones((4, 8))])
    assert validate(path) == []
    return path


def told(good: Path, folder: Path, damage: Callable[[h5py.File], object]) -> list[str]:
    path = Path(shutil.copy(good, folder / "bad.h5"))
    with h5py.File(path, "r+") as file:
        damage(file)
    return [str(problem) for problem in validate(path)]


# Table, place, attribute, a value that it must not have, what is said of it.
ROWS = [
    (1, "", "format_version", np.uint8(2), "must be int64 (got uint8, 2)"),
    (1, "", "created", "yesterday", "must be a time in UTC"),
    (1, "", "created", "2026-11-24T00:00:00+02:00", "must be a time in UTC"),
    (1, "", "circuit_name", np.bytes_("digits"), "must be text (got text of fixed length, 'digits')"),
    (1, "", "learning", np.int64(1), "must be text (got int64, 1)"),
    (1, "", "transports_weights", np.uint8(2), "must be 0 or 1 (got 2)"),
    (1, "", "seed", np.uint64(2**63 + 5), "must be int64 (got <u8, 9223372036854775813)"),
    (1, "", "seed", np.array(0, ">i8"), "must be int64 (got >i8, 0)"),
    (1, "", "package_version", np.float64(0.1), "must be text (got float64, 0.1)"),
    (1, "", "git_commit", np.int64(0), "must be text (got int64, 0)"),
    (1, "", "git_dirty", np.int64(0), "must be uint8 (got int64, 0)"),
    (1, "", "resumptions", np.int64(-1), "must be 0 or more (got -1)"),
    (1, "", "status", "done", "must be one of running, complete, interrupted, failed (got 'done')"),
    (1, "", "message", "all is well", "must be empty where status is complete (got 'all is well')"),
    (2, W, "source", "", "must be a name (not empty) (got '')"),
    (2, W, "target", np.int64(1), "must be text (got int64, 1)"),
    (2, W, "role", "both", "must be one of forward, feedback (got 'both')"),
    (2, B, "reverse_of", np.int64(1), "must be text (got int64, 1)"),
    (2, B, "tie", "inverse_of x", "must be 'transpose_of X', 'sign_of X' or empty (got 'inverse_of x')"),
    (2, W, "wiring", "", "must be a name (not empty) (got '')"),
    (2, W, "rule_engaged", np.int64(1), "must be text (got int64)"),
    (2, W, "precision", "float8", "must be one of float64, float32, float16, bfloat16 (got 'float8')"),
    (2, W, "position", np.int64(1), "positions must differ from each other"),
    (2, W, "coordinates", "xxx", "must be epoch (got 'xxx')"),
    (3, RATE, "partner", np.int64(1), "must be text (got int64, 1)"),
    (3, RATE, "precision", "float64", "values must be float64 (got float32)"),
    (3, RATE, "position", np.int32(0), "must be int64 (got int32, 0)"),
    (3, RATE, "coordinates", "epoch", "must be epoch label (got 'epoch')"),
    (4, MATRIX, "units", "radian", "must be degree (got 'radian')"),
    (4, DELTA, "units", "radian", "must be degree (got 'radian')"),
    (4, RATIO, "reverse", "image->v1", "matrix_angle and norm_ratio must have one reverse"),
    (4, DELTA, "position", np.int64(1), "delta_angle and local_angle must have one position"),
    (4, DELTA, "coordinates", "step", "must be epoch (got 'step')"),
]
GONE = [
    *((table, place, name) for table, place, name, *_ in ROWS if name not in ("format_version", "rule_engaged")),
    (4, MATRIX, "reverse"),
]


@pytest.mark.parametrize(("table", "place", "name", "value", "what"), ROWS)
def test_each_row_of_the_tables(
    good: Path, tmp_path: Path, table: int, place: str, name: str, value: object, what: str
) -> None:
    def damage(file: h5py.File) -> None:
        (file[place] if place else file).attrs[name] = value

    found = told(good, tmp_path, damage)
    assert any(what in text for text in found), found


@pytest.mark.parametrize(("table", "place", "name"), list(dict.fromkeys(GONE)))
def test_each_row_must_be_there(good: Path, tmp_path: Path, table: int, place: str, name: str) -> None:
    def damage(file: h5py.File) -> None:
        del (file[place] if place else file).attrs[name]

    assert f"/{place}: attribute '{name}' must be there, " in "\n".join(told(good, tmp_path, damage))


def test_no_row_is_forgotten() -> None:
    """The document's own tables: each of their rows is broken above."""
    tested = {(table, name) for table, _, name, *_ in ROWS} | {(1, "magic")}  # another magic is no recording at all
    written = set()
    for number in (1, 2, 3, 4):
        table = DOCUMENT.read_text(encoding="utf-8").split(f"## Table {number}:")[1].split("\n\n")[1]
        for line in table.splitlines()[2:]:
            names = line.split("|")[1].replace("rule_*mode*", "rule_engaged").split(",")
            written |= {(number, name.strip()) for name in names}
    assert written == tested


def removed(*names: str) -> Callable[[h5py.File], None]:
    def damage(file: h5py.File) -> None:
        for name in names:
            del file[name]

    return damage


def detached(name: str) -> Callable[[h5py.File], None]:
    def damage(file: h5py.File) -> None:
        for axis in file[name].dims:
            for scale in list(axis.values()):
                axis.detach_scale(scale)

    return damage


def recounted(file: h5py.File) -> None:
    file["synapses/image->v1/out"][:] = 7


def plain_steps(file: h5py.File) -> None:
    for key in ("CLASS", "NAME"):
        del file["alignment/step"].attrs[key]


def equal_positions(file: h5py.File) -> None:
    for quantity in ("delta_angle", "local_angle"):
        file[f"alignment/populations/stage1.block1/{quantity}"].attrs["position"] = np.int64(0)


def one_reverse(file: h5py.File) -> None:
    file["synapses/stage2.block1.conv1~/weights"].attrs["reverse_of"] = "stage1.block1.conv1"


def another_reverse(file: h5py.File) -> None:
    for name in (MATRIX, RATIO):
        file[name].attrs["reverse"] = "stage1.block1.conv1~"


def metrics_of_one_rank(file: h5py.File) -> None:
    file["metrics/accuracy"].attrs["position"] = np.int64(0)


def negative_ratio(file: h5py.File) -> None:
    file[RATIO][0] = -1


def unlinked_probe(file: h5py.File) -> None:
    del file["signals/v1/sample"]
    file["signals/v1/sample"] = np.arange(4)


def numbers_as_environment(file: h5py.File) -> None:
    file["environment"].attrs["cores"] = np.int64(2)


def float32_metric(file: h5py.File) -> None:
    held = file["metrics/loss"]
    values, rank = held[:], held.attrs["position"]
    del file["metrics/loss"]
    file.create_dataset("metrics/loss", data=values.astype("<f4")).attrs["position"] = rank


OUT = "/synapses/image->v1/out: "
BROKEN = {
    "weights' scales": (detached(W), f"/{W}: axis 0 must have the dimension scale /synapses/step attached to it"),
    "signals' scales": (detached(RATE), f"/{RATE}: axis 0 must have the dimension scale /signals/step attached to it"),
    "labels' scale": (detached("signals/label"), "/signals/label: axis 0 must have the dimension scale"),
    "angles' scale": (detached(DELTA), f"/{DELTA}: axis 0 must have the dimension scale /alignment/step attached"),
    "metrics' scale": (detached("metrics/loss"), "/metrics/loss: axis 0 must have the dimension scale"),
    "epochs' scale": (detached("metrics/epoch"), "/metrics/epoch: axis 0 must have the dimension scale"),
    "no axes": (removed("synapses/image->v1/out", "synapses/image->v1/in"), f"{OUT}it lacks this"),
    "no channels": (removed("signals/v1/channel"), "/signals/v1/channel: it lacks this"),
    "an axis that does not count": (recounted, f"{OUT}must count 0, 1, 2, ... along its 8 places"),
    "an index that is no scale": (plain_steps, "/alignment/step: must be a dimension scale"),
    "equal positions": (equal_positions, "/alignment/populations: positions must differ from each other"),
    "equal ranks of metrics": (metrics_of_one_rank, "/metrics: positions must differ from each other (got [0, 0])"),
    "two reverses of one": (one_reverse, "must name a projection that no other reverses (got 'stage1.block1.conv1'"),
    "another's reverse": (another_reverse, "must name the reverse of 'pooled->digit' (got 'stage1.block1.conv1~'"),
    "a negative ratio": (negative_ratio, "ratios of norms must not be negative"),
    "one column of two": (removed(RATIO), f"/{RATIO}: it lacks this"),
    "an unlinked probe": (unlinked_probe, "/signals/v1/sample: must be a hard link to /signals/sample"),
    "an environment of numbers": (numbers_as_environment, "/environment: attribute 'cores' must be text (got int64)"),
    "a metric of float32": (float32_metric, "/metrics/loss: values must be float64 (got float32)"),
}  # fmt: skip


@pytest.mark.parametrize(("damage", "what"), BROKEN.values(), ids=BROKEN)
def test_axes_columns_and_pairs(good: Path, tmp_path: Path, damage: Callable[[h5py.File], None], what: str) -> None:
    found = told(good, tmp_path, damage)
    assert any(what in text for text in found), found


def test_what_the_format_allows(tmp_path: Path) -> None:
    """Names that are reserved in another group alone, axes of other ranks, feedback whose W is not recorded."""
    recorder = Recorder(tmp_path / "run.h5", About(circuit="", circuit_name="net", learning="dfa", seed=-1))
    synapse = Synapse(projection="sample", source="a", target="b", shape=(4, 3, 2), wiring="conv", role="feedback")
    again = Synapse(projection="label", source="a", target="b", shape=(3,), wiring="dense", reverse_of="ghost")
    recorder.enrol(Weights([synapse, again]), Signals([Signal(population="b", shape=(4, 2))], samples=[3, 5]))
    recorder.enrol(Alignment(populations=["sample"]), Metrics(["sample"]))
    with recorder.prepare():
        weights = {"sample": np.ones((4, 3, 2)), "label": np.ones(3)}
        recorder.write(
            step=0, epoch=0.0, weights=weights, signals={"b": dict.fromkeys(("rate", "delta"), np.ones((2, 4, 2)))}
        )
    assert validate(tmp_path / "run.h5") == []


# -- behind filters ------------------------------------------------------------------------------------------


def packed(path: Path, compression: str) -> Path:
    """Weights that both filters make smaller, in several chunks a snapshot."""
    ramps = [np.arange(64 * 300).reshape(64, 300) // 40 * (row + 1.0) for row in range(3)]
    return pair(path, ramps, ramps, compression=compression, shuffle=True, chunks=(1, 16, 300))


def overwrite(path: Path, chunk: int, share: float, content: bytes) -> None:
    with h5py.File(path) as file:
        info = file["synapses/p~/weights"].id.get_chunk_info(chunk)
    assert info.filter_mask == 0
    with path.open("r+b") as raw:
        raw.seek(info.byte_offset + int(info.size * share))
        raw.write(content)


@pytest.mark.parametrize("compression", ["gzip", "lzf"])
@pytest.mark.parametrize(("chunk", "share"), [(0, 0.0), (5, 0.3), (11, 0.6)])
def test_overwritten_chunks(tmp_path: Path, compression: str, chunk: int, share: float) -> None:
    path = packed(tmp_path / "packed.h5", compression)
    assert validate(path) == []
    overwrite(path, chunk, share, bytes(range(37, 97)))
    found = [str(problem) for problem in validate(path)]
    assert len(found) == 1
    assert found[0].startswith("/synapses/p~/weights: ")
    assert "chunk" in found[0]


def test_a_chunk_that_unpacks_to_more_than_it_may(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "bomb.h5", "w") as file:
        dataset = file.create_dataset("x", shape=(2, 100), dtype="<f4", chunks=(1, 100), compression="gzip")
        dataset[:] = 1
        dataset.id.write_direct_chunk((1, 0), zlib.compress(bytes(1 << 22)))
        with pytest.raises(Damage, match=r"the chunk at \(1, 0\) must unpack to 400 bytes \(got more\)"):
            check_compressed(dataset)
        check_compressed(dataset, rows=1)
        dataset.id.write_direct_chunk((1, 0), zlib.compress(bytes(40)))
        with pytest.raises(Damage, match=r"must unpack to 400 bytes \(got 40\)"):
            check_compressed(dataset)


def test_a_packed_row_that_was_never_written(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "gap.h5", "w") as file:
        dataset = file.create_dataset("x", shape=(3, 8), dtype="<f4", chunks=(1, 8), compression="gzip")
        dataset[0] = dataset[2] = 1
        with pytest.raises(Damage, match=r"must hold its rows whole \(got 2 of 3 chunks\)"):
            check_compressed(dataset)


def test_a_mask_of_other_numbers(tmp_path: Path) -> None:
    unseen = np.zeros((4, 3))
    unseen[2, 1] = 2
    path = pair(tmp_path / "mask.h5", np.ones((4, 3)), np.ones((4, 3)), unseen=unseen)
    assert "/synapses/p/unseen: must hold 0 and 1 alone" in [str(problem) for problem in validate(path)]


def test_time_of_a_recording() -> None:
    created = attributes.ROOT["created"]
    assert created.holds("2026-11-24T00:00:00+00:00")
    assert created.holds("2026-11-24T00:00:00Z")
    assert not created.holds("2026-11-24T00:00:00")


def test_an_empty_recording_is_one(tmp_path: Path) -> None:
    begun(tmp_path / "empty.h5", status="complete").close()
    assert validate(tmp_path / "empty.h5") == []
