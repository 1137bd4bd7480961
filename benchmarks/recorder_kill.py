"""Runs killed with SIGKILL at random instants while they record: what is left of each file, and whether it goes on.

    python benchmarks/recorder_kill.py [--kills 100] [--seed 0] [--folder DIR]

Each run is a process of its own that records weights, signals, alignment and metrics as fast as it can, in a form that
differs from run to run (precision, filter), until it is killed. Then, in this process:

1. plain h5py opens the file for reading and appending;
2. every confirmed record of every group is read back, and the CRC-32 of its bytes compared with that of what was
   written at its step, which is a function of the step;
3. the run is taken up again at a random earlier step, appends three records, ends, and is read back once more.

The last line counts what went wrong: it must say 0.
"""

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zlib import crc32

import h5py
import numpy as np

from counterstream.engine.recorder import (
    About,
    Alignment,
    Metrics,
    Recorder,
    Signal,
    Signals,
    Synapse,
    Weights,
)
from counterstream.engine.recorder.precision import stored

SHAPES = {"a->b": (64, 32, 3, 3), "b->c": (100, 512), "c->d": (256, 1024)}  # 1.3 MB in float32, with B twice that
NEURONS = {"b": (32, 8, 8), "c": (100,)}
SAMPLES = 16
FORMS = (("float32", "none"), ("float16", "none"), ("bfloat16", "gzip"), ("float32", "lzf"), ("float64", "none"))


def recorder(path: Path, form: int) -> Recorder:
    precision, compression = FORMS[form % len(FORMS)]
    synapses = [
        Synapse(
            projection=f"{name}{tilde}",
            source="x",
            target="y",
            shape=shape,
            wiring="conv" if len(shape) == 4 else "dense",
            role="feedback" if tilde else "forward",
            reverse_of=name if tilde else None,
        )
        for tilde in ("", "~")
        for name, shape in SHAPES.items()
    ]
    signals = [Signal(population=name, shape=shape) for name, shape in NEURONS.items()]
    made = Recorder(path, About(circuit="name: killed\n", circuit_name="killed", learning="none", seed=form))
    return made.enrol(
        Weights(synapses, precision, compression),  # type: ignore[arg-type]
        Signals(signals, list(range(SAMPLES)), precision=precision, compression=compression),  # type: ignore[arg-type]
        Alignment({name: f"{name}~" for name in SHAPES}, list(NEURONS)),
        Metrics(["loss", "accuracy"]),
    )


def array(step: int, key: str, shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng([step, crc32(key.encode())]).random(shape, np.float32)


def number(step: int, key: str) -> float:
    return crc32(f"{step} {key}".encode()) / 2**32


def content(step: int) -> dict[str, Any]:
    """What is recorded at a step."""
    return {
        "weights": {
            f"{name}{tilde}": array(step, f"{name}{tilde}/weights", shape)
            for name, shape in SHAPES.items()
            for tilde in ("", "~")
        },
        "signals": {
            name: {what: array(step, f"{name}/{what}", (SAMPLES, *shape)) for what in ("rate", "delta")}
            for name, shape in NEURONS.items()
        },
        "alignment": {
            what: {name: number(step, f"{name}/{what}") for name in names}
            for what, names in (
                ("matrix_angle", SHAPES),
                ("norm_ratio", SHAPES),
                ("delta_angle", NEURONS),
                ("local_angle", NEURONS),
            )
        },
        "metrics": {name: number(step, name) for name in ("loss", "accuracy")},
    }


def by_path(step: int, precision: str) -> dict[str, dict[str, np.ndarray]]:
    """The same as it stands in the file: group -> path of the dataset -> one record."""
    given = content(step)
    arrays: Mapping[str, Mapping[str, np.ndarray]] = {
        "synapses": {f"{name}/weights": values for name, values in given["weights"].items()},
        "signals": {f"{name}/{what}": v for name, own in given["signals"].items() for what, v in own.items()},
    }
    kinds = dict.fromkeys(SHAPES, "projections") | dict.fromkeys(NEURONS, "populations")
    numbers = {
        "alignment": {
            f"{kinds[name]}/{name}/{what}": value
            for what, values in given["alignment"].items()
            for name, value in values.items()
        },
        "metrics": given["metrics"],
    }
    return {
        **{group: {path: stored(one, precision) for path, one in own.items()} for group, own in arrays.items()},  # type: ignore[arg-type]
        **{group: {path: np.float64(one) for path, one in own.items()} for group, own in numbers.items()},  # type: ignore[misc]
    }


def write_until_killed(path: Path, form: int) -> None:
    """The process that is killed: prints each step once it is handed over."""
    with recorder(path, form).prepare() as running:
        for step in range(1_000_000):
            running.write(step=step, epoch=step / 8, **content(step))
            print(step, flush=True)


@dataclass
class Tally:
    """What was found."""

    files: int = 0
    records: int = 0
    bytes: int = 0
    unconfirmed: int = 0
    waiting: int = 0
    resumed: int = 0
    problems: list[str] = field(default_factory=list)


def check(path: Path, form: int, tally: Tally) -> dict[str, list[int]]:
    """Every confirmed record of a file against its checksums. Gives the confirmed steps of each group."""
    found: dict[str, list[int]] = {}
    precision = FORMS[form % len(FORMS)][0]
    expected: dict[int, dict[str, dict[str, np.ndarray]]] = {}
    with h5py.File(path, "r+") as file:
        for group in ("synapses", "signals", "alignment", "metrics"):
            steps = file[group]["step"][:]
            unconfirmed = np.flatnonzero(steps < 0)
            tally.unconfirmed += bool(unconfirmed.size)
            found[group] = (steps[: unconfirmed[0]] if unconfirmed.size else steps).tolist()
            for row, step in enumerate(found[group]):
                if step not in expected:
                    expected[step] = by_path(step, precision)
                for place, values in expected[step][group].items():
                    read = np.asarray(file[group][place][row])
                    tally.bytes += read.nbytes
                    if crc32(read.tobytes()) != crc32(values.tobytes()):
                        tally.problems.append(f"{path.name}: {group}/{place} of step {step} is not what was written")
                if file[group]["epoch"][row] != step / 8:
                    tally.problems.append(f"{path.name}: {group}/epoch of step {step} is not what was written")
            tally.records += len(found[group])
    return found


def kill_one(path: Path, form: int, after: float) -> int:
    """Starts a run and kills it `after` seconds from its first record; the last step that it had handed over."""
    command = [sys.executable, __file__, "--write", str(path), "--seed", str(form)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        time.sleep(after)
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.read().splitlines(keepends=True)
    return int([line for line in lines if line.endswith("\n")][-1])


def resume(path: Path, form: int, at: int) -> None:
    with recorder(path, form).resume(at) as running:
        first = max(running.last_steps.values(), default=-1) + 1
        for step in range(first, first + 3):
            running.write(step=step, epoch=step / 8, **content(step))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--kills", type=int, default=100)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--folder", type=Path, help="Where the files go. Default: a temporary folder.")
    arguments.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.write:
        write_until_killed(options.write, options.seed)
        return
    chance, tally, started = random.Random(options.seed), Tally(), time.monotonic()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for kill in range(options.kills):
            path = Path(folder) / f"run{kill}.h5"
            handed_over = kill_one(path, kill, chance.uniform(0.0, 0.8))
            try:
                found = check(path, kill, tally)
                tally.files += 1
                last = max((steps[-1] for steps in found.values() if steps), default=-1)
                tally.waiting = max(tally.waiting, handed_over - last)
                at = chance.randint(-1, last)
                resume(path, kill, at)
                again = check(path, kill, tally)
                kept = {group: [step for step in steps if step <= at] for group, steps in found.items()}
                if any(again[group][: len(kept[group])] != kept[group] or len(again[group]) != len(kept[group]) + 3
                       for group in again):  # fmt: skip
                    tally.problems.append(f"{path.name}: resumed at {at}, it holds {again}")
                tally.resumed += 1
            except Exception as error:  # whatever it is, it is what this benchmark looks for
                tally.problems.append(f"{path.name}: {type(error).__name__}: {error}")
            path.unlink()
    print(f"{options.kills} runs killed while writing, in {time.monotonic() - started:.0f} s")
    print(f"{tally.files} files open for reading and appending, {tally.resumed} taken up again and appended to")
    print(f"{tally.records} confirmed records read back, {tally.bytes / 1e6:.0f} MB by checksum")
    print(f"{tally.unconfirmed} groups ended in a record that was never confirmed, as it must be passed over")
    print(f"at most {tally.waiting} records handed over and not yet confirmed when a kill came")
    print(*tally.problems, sep="\n", end="\n" if tally.problems else "")
    print(f"problems: {len(tally.problems)}")
    sys.exit(bool(tally.problems))


if __name__ == "__main__":
    main()
