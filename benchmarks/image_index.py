"""How long an index of many images takes to make and to open, and what it costs each worker process in memory.

    python benchmarks/image_index.py [--files 1000000] [--classes 1000] [--workers 4] [--folder DIR]

Makes a folder of empty files in ImageNet's layout (or takes one that is there), lists it once, and opens it again, as
a second run does. Then worker processes look up 20,000 names each, at random, and tell by how much the memory that is
theirs alone grew (Anonymous in /proc/self/smaps_rollup: pages of a mapped file are everyone's), beside a worker that
holds the same names as a list of (path, label) pairs, which is what torchvision's ImageFolder hands to its workers.
Reported:

    listed    to list all folders and write the index      opened   to find that nothing changed, and map it; seconds
    index     its bytes on the disk, and pickled for a worker        grown    a worker's own memory, in MB
"""

import argparse
import json
import multiprocessing
import os
import pickle
import tempfile
import time
from pathlib import Path

import numpy as np

from counterstream.engine.data.images.index import CACHE, Index
from counterstream.engine.data.images.layout import Layout

LOOKS = 20_000
LONG_AGO = 1_000_000_000


def make(root: Path, files: int, classes: int) -> None:
    """Empty files, names as long as ImageNet's."""
    for label in range(classes):
        folder = root / "train" / f"n{label:08d}"
        folder.mkdir(parents=True)
        for image in range(files // classes):
            os.close(os.open(folder / f"n{label:08d}_{image}.JPEG", os.O_CREAT | os.O_WRONLY))
        os.utime(folder, ns=(LONG_AGO, LONG_AGO))
    (root / "val" / "n00000000").mkdir(parents=True)
    (root / "val" / "n00000000" / "0.JPEG").touch()


def own_memory() -> int:
    """Bytes of this process that no other shares."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Anonymous"))


def look(held: Index | list[tuple[str, int]], before: int) -> int:
    """How much a process's own memory has grown since `before` when it has looked names up."""
    random = np.random.default_rng(os.getpid())
    for position in random.integers(len(held), size=LOOKS):
        name = held.name(int(position)) if isinstance(held, Index) else held[int(position)][0]
        assert name
    return own_memory() - before


def worker(pickled: bytes, answers: "multiprocessing.Queue[int]") -> None:
    before = own_memory()
    answers.put(look(pickle.loads(pickled), before))


def grown(held: Index | list[tuple[str, int]], workers: int) -> list[float]:
    """MB by which each of `workers` fresh processes grows."""
    context = multiprocessing.get_context("spawn")
    answers: multiprocessing.Queue[int] = context.Queue()
    processes = [context.Process(target=worker, args=(pickle.dumps(held), answers)) for _ in range(workers)]
    for process in processes:
        process.start()
    found = [answers.get() / 1e6 for _ in processes]
    for process in processes:
        process.join()
    return found


def opened(root: Path) -> tuple[dict[str, float], Index]:
    """Seconds by the clock and of processor time; the index."""
    clock, processor = time.perf_counter(), time.process_time()
    index = Layout(root).train()
    spent = {"clock_s": time.perf_counter() - clock, "processor_s": time.process_time() - processor}
    return {name: round(value, 3) for name, value in spent.items()}, index


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--files", type=int, default=1_000_000)
    arguments.add_argument("--classes", type=int, default=1000)
    arguments.add_argument("--workers", type=int, default=4)
    arguments.add_argument("--folder", type=Path)
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ[CACHE] = f"{scratch}/cache"
        root = asked.folder or Path(scratch) / "images"
        if asked.folder is None:
            make(root, asked.files, asked.classes)
        first, _ = opened(root)
        second, index = opened(root)
        pairs = [(index.name(position), int(index.labels[position])) for position in range(len(index))]
        result = {
            "files": len(index),
            "listed": first,
            "opened": second,
            "index_mb": round(index.file.stat().st_size / 1e6, 1),
            "pickled_bytes": len(pickle.dumps(index)),
            "grown_mb": [round(value, 2) for value in grown(index, asked.workers)],
            "grown_mb_of_a_list": [round(value, 1) for value in grown(pairs, 1)],
        }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
