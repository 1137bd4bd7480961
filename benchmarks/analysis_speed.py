"""Matrix angles of every layer from a large recording, against reading the same bytes and doing nothing with them.

    python benchmarks/analysis_speed.py [--gigabytes 2.2] [--rounds 5] [--folder FOLDER] [--cold]

Makes a seeded recording of the shape of a ResNet-50 (53 convolutions and the readout, W and B of each, 100
snapshots, channels scaled so that the file has the size asked for), with B at a planted angle to W. Then, in one
process and alternating: (file) the file is read from front to end with `readinto` into one buffer of 4 MB, (h5py)
every snapshot is read with h5py's `read_direct` into one array, (angles) `matrix_angles` of all pairs and
snapshots. --cold asks the kernel to drop the file's pages before each; without it both find them in the page cache,
as far as memory allows. Ends with the angles' error against the planted one and the peak of resident memory, then
deletes the file.
"""

import argparse
import math
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from counterstream.analysis import Run, matrix_angles

SNAPSHOTS = 100
CHUNK = 1 << 20
BUFFER = 1 << 22
STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))  # inner channels, blocks
TEXT = h5py.string_dtype("utf-8")


def main() -> None:
    asked = _arguments()
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        path = Path(folder) / "resnet50.h5"
        shapes = scaled(asked.gigabytes)
        started = time.perf_counter()
        planted = make(path, shapes)
        size = path.stat().st_size
        print(f"{len(shapes)} projections with their reverses, {SNAPSHOTS} snapshots, {size / 1e9:.2f} GB, "
              f"made in {time.perf_counter() - started:.0f} s")  # fmt: skip
        baseline = _memory()
        measures = {"file": read, "h5py": read_h5py, "angles": analyze}
        speeds = {name: list[float]() for name in measures}
        for number in range(1, asked.rounds + 1):
            for name, measure in measures.items():
                if asked.cold:
                    _forget(path)
                started = time.perf_counter()
                result = measure(path)
                speeds[name].append(size / (time.perf_counter() - started) / 1e9)
            print(f"round {number}, GB/s: " + ", ".join(f"{name} {speed[-1]:.2f}" for name, speed in speeds.items()))
        cache = "cold" if asked.cold else "warm"
        print(f"{cache} page cache, {os.cpu_count()} cores; medians, and ratios round by round:")
        for name in ("file", "h5py"):
            ratios = [own / other for own, other in zip(speeds["angles"], speeds[name], strict=True)]
            own, other = statistics.median(speeds["angles"]), statistics.median(speeds[name])
            ratio = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
            print(f"  angles {own:.2f} GB/s, {name} {other:.2f} GB/s, ratio {ratio}")
        angles = zip(result["projection"], result["angle_degrees"], strict=True)
        worst = max(abs(angle - planted[name]) for name, angle in angles)
        print(f"{len(result)} angles; largest error against those planted {worst:.1e} degrees")
        print(f"peak memory {_memory() / 1e6:.0f} MB, {baseline / 1e6:.0f} MB of it before the first reading")


def resnet50() -> Iterator[tuple[str, tuple[int, ...]]]:
    """The weighted projections of a ResNet-50 with its readout, by name."""
    yield "image->stem", (64, 3, 7, 7)
    source = 64
    for stage, (inner, blocks) in enumerate(STAGES, start=1):
        for block in range(1, blocks + 1):
            name = f"stage{stage}.block{block}"
            yield f"{name}.conv1", (inner, source, 1, 1)
            yield f"{name}.conv2", (inner, inner, 3, 3)
            yield f"{name}.conv3", (4 * inner, inner, 1, 1)
            if block == 1:
                yield f"{name}.shortcut", (4 * inner, source, 1, 1)
            source = 4 * inner
    yield "pooled->class", (1000, 2048)


def scaled(gigabytes: float) -> dict[str, tuple[int, ...]]:
    """The shapes with all channels scaled by one factor (the image's three excepted) to this size of file."""
    shapes = dict(resnet50())
    values = sum(math.prod(shape) for shape in shapes.values())
    factor = math.sqrt(gigabytes * 1e9 / (values * 2 * SNAPSHOTS * 4))
    return {
        name: tuple(size if axis > 1 or size == 3 else max(1, round(size * factor)) for axis, size in enumerate(shape))
        for name, shape in shapes.items()
    }


def make(path: Path, shapes: dict[str, tuple[int, ...]], seed: int = 0) -> dict[str, float]:
    """Writes the recording, snapshot by snapshot, in format version 2, and tells the angle planted in each layer."""
    random = np.random.default_rng(seed)
    planted = {name: 80.0 * position / len(shapes) for position, name in enumerate(shapes)}
    largest = max(math.prod(shape) for shape in shapes.values())
    noise = random.normal(size=(2, largest + SNAPSHOTS)).astype(np.float32)
    with h5py.File(path, "w", rdcc_nbytes=0) as file:
        _describe(file)
        weights = {name: _pair(file["synapses"], name, shape, at) for at, (name, shape) in enumerate(shapes.items())}
        for row in range(SNAPSHOTS):
            for name, (forward, reverse) in weights.items():
                w, other = noise[:, row : row + math.prod(shapes[name])].astype(np.float64)
                other = other - w * (other @ w / (w @ w))
                other *= math.tan(math.radians(planted[name])) * np.linalg.norm(w) / np.linalg.norm(other)
                for dataset, values in ((forward, w), (reverse, w + other)):
                    dataset.resize(row + 1, axis=0)
                    dataset[row] = values.reshape(shapes[name])
        for index, values in (("step", np.arange(SNAPSHOTS)), ("epoch", np.arange(SNAPSHOTS) / 2)):
            file["synapses"][index].resize(SNAPSHOTS, axis=0)
            file["synapses"][index][:] = values
    return planted


def read(path: Path) -> None:
    """The file's bytes, in order, into one buffer."""
    buffer = bytearray(BUFFER)
    with open(path, "rb", buffering=0) as file:
        while file.readinto(buffer):
            pass


def read_h5py(path: Path) -> None:
    """The same weights through HDF5, in the order in which they were written."""
    with h5py.File(path, "r", rdcc_nbytes=0) as file:
        groups = [group["weights"] for group in file["synapses"].values() if isinstance(group, h5py.Group)]
        buffers = [np.empty(dataset.shape[1:], dataset.dtype) for dataset in groups]
        for row in range(SNAPSHOTS):
            for dataset, buffer in zip(groups, buffers, strict=True):
                dataset.read_direct(buffer, np.s_[row])


def analyze(path: Path):  # type: ignore[no-untyped-def] # pandas loads with the analysis
    with Run.open(path) as run:
        return matrix_angles(run)


def _describe(file: h5py.File) -> None:
    file.attrs.update({
        "magic": "counterstream", "format_version": np.int64(2), "circuit_name": "resnet50", "learning": "synthetic",
        "transports_weights": np.uint8(0), "seed": np.int64(0), "status": "complete", "message": "",
    })  # fmt: skip
    for name in ("circuit", "experiment"):
        file.create_dataset(name, data="", dtype=TEXT)
    for name in ("environment", "results", "alignment/projections", "alignment/populations"):
        file.create_group(name)
    for name in ("synapses", "signals", "alignment", "metrics"):
        group = file.require_group(name)
        group.create_dataset("step", shape=(0,), maxshape=(None,), chunks=(512,), dtype="<i8", fillvalue=-1)
        group.create_dataset("epoch", shape=(0,), maxshape=(None,), chunks=(512,), dtype="<f8")


def _pair(group: h5py.Group, name: str, shape: tuple[int, ...], position: int) -> list[h5py.Dataset]:
    pair = []
    for label, reverse_of in ((name, ""), (f"{name}~", name)):
        rows = max(1, CHUNK // (math.prod(shape[1:]) * 4))
        chunk = (1, math.ceil(shape[0] / math.ceil(shape[0] / rows)), *shape[1:])
        weights = group.create_dataset(
            f"{label}/weights", shape=(0, *shape), maxshape=(None, *shape), chunks=chunk, dtype="<f4"
        )
        weights.attrs.update({
            "source": "a", "target": "b", "role": "feedback" if reverse_of else "forward", "reverse_of": reverse_of,
            "tie": "", "wiring": "conv", "precision": "float32", "position": np.int64(position),
        })  # fmt: skip
        pair.append(weights)
    return pair


def _forget(path: Path) -> None:
    """Asks the kernel to drop the file's pages; it may decline."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _memory() -> int:
    """The largest resident memory of this process until now, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=2.2, help="size of the file")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=None, help="where the file is made")
    parser.add_argument("--cold", action="store_true", help="drop the file from the page cache before each reading")
    return parser.parse_args()


if __name__ == "__main__":
    main()
