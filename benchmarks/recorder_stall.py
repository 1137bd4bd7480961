"""What recording every W and B of a ResNet-18 costs the run: the training thread's stall, and the run's time.

    OMP_NUM_THREADS=1 python benchmarks/recorder_stall.py [--minutes 5] [--snapshots 10] [--image 64] [--batch 4]

A full-width ResNet-18 (11.7 million W, and as many B but for the first layer's) trains by Kolen-Pollack on random
A full-width ResNet-18 (11.7 million W, and a B for each but the first layer) trains by Kolen-Pollack on random
the recorder at the start of each of `snapshots` segments, whose thread writes while the chunk is trained; the other
records nothing. Both take the same steps. Reported:

    stall     seconds that the training thread spends in `Recorder.write`, each and in all, and over the recorded time
    ratio     time of a recorded segment over that of its unrecorded twin: median, quartiles, all, and of the runs;
              by the clock, and in the training thread's processor time, which other work on the machine disturbs less
    memory    the recorder's buffers, and how much the process has grown since before it was prepared
"""

import argparse
import resource
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

import h5py
import numpy as np

import counterstream as cs
from counterstream.circuits.writing import dump
from counterstream.engine.recorder import About, Recorder, Weights
from counterstream.engine.recorder.selection import select_projections
from counterstream.engine.simulator import Simulator
from counterstream.engine.training.recording import synapse
from counterstream.engine.views import Weights as Synapses

MEGA = 1e6
CHUNK_SECONDS = 4.0  # longer than a snapshot takes to be written, so that none is still written in the other run's turn


@dataclass
class Times:
    """Seconds: of segments with and without a snapshot, pairwise, by the clock and of the training thread's own
    processor time; of the calls that hand snapshots over."""

    recorded: list[float] = field(default_factory=list)
    plain: list[float] = field(default_factory=list)
    own_recorded: list[float] = field(default_factory=list)
    own_plain: list[float] = field(default_factory=list)
    stalls: list[float] = field(default_factory=list)


class Run:
    """A simulator on random images, and a recorder of all its weights."""

    def __init__(self, image: int, batch: int) -> None:
        circuit = cs.load("resnet18", options={"size": [3, image, image]}, learning="kolen_pollack")
        self.sim: Simulator = cs.compile(circuit)
        random = np.random.default_rng(0)
        self.images = random.normal(size=(16, batch, 3, image, image)).astype(np.float32)
        self.labels = random.integers(0, 1000, (16, batch))
        self.sim.rate = 0.01  # of random labels there is nothing to learn: small, so that nothing diverges
        self.taken = 0
        graph = self.sim.compiled.graph
        self.projections = select_projections(graph, ["all"], "both", ("conv", "dense")).names
        self.weights = Synapses(self.sim)

    def recorder(self, path: Path) -> Recorder:
        circuit = self.sim.circuit
        about = About(circuit=dump(circuit), circuit_name=circuit.name, learning="kolen_pollack", seed=0)
        synapses = [synapse(self.sim.compiled.graph, label) for label in self.projections]
        return Recorder(path, about).enrol(Weights(synapses))

    def train(self, steps: int) -> None:
        for _ in range(steps):
            batch = self.taken % len(self.images)
            self.sim.step(self.images[batch], self.labels[batch])
            self.taken += 1

    def snapshot(self, recorder: Recorder) -> None:
        shown = {name: self.weights.shown(name) for name in self.projections}
        recorder.write(step=self.taken, epoch=0.0, weights=shown)


def measure(run: Run, recorder: Recorder, segments: int, chunks: int, steps: int) -> Times:
    """Each segment of both runs in chunks of `steps` steps, in turns: what else the machine does meets both alike."""
    times = Times()
    for segment in range(segments):
        clock, own = [0.0, 0.0], [0.0, 0.0]  # without, with
        for chunk in range(chunks):
            for is_recorded in (True, False) if chunk % 2 == 0 else (False, True):
                started, own_started = time.perf_counter(), time.thread_time()
                if is_recorded and chunk == 0:
                    run.snapshot(recorder)
                    times.stalls.append(time.perf_counter() - started)
                run.train(steps)
                clock[is_recorded] += time.perf_counter() - started
                own[is_recorded] += time.thread_time() - own_started
        for found, (without, with_) in (
            ((times.plain, times.recorded), clock),
            ((times.own_plain, times.own_recorded), own),
        ):
            found[0].append(without)
            found[1].append(with_)
        print(f"segment {segment + 1}/{segments}: {clock[1]:.2f} s with, {clock[0]:.2f} s without", flush=True)
    return times


def report(times: Times, path: Path, buffers: int, grown: int) -> None:
    recorded, stalled = sum(times.recorded), sum(times.stalls)
    with h5py.File(path) as file:
        snapshots = len(file["synapses/step"])
        size = sum(
            file[f"synapses/{name}/weights"].nbytes for name in file["synapses"] if name not in ("step", "epoch")
        )
    print(f"{snapshots} snapshots of {size / snapshots / MEGA:.1f} MB in {recorded:.0f} s of recorded training")
    print(
        f"stall   median {median(times.stalls) * 1e3:.0f} ms, greatest {max(times.stalls) * 1e3:.0f} ms, "
        f"in all {stalled:.2f} s: {stalled / recorded:.2%} of the recorded time"
    )
    print(f"ratio   by the clock {spread(times.recorded, times.plain)}")
    print(f"        of the training thread's processor time {spread(times.own_recorded, times.own_plain)}")
    print(f"memory  buffers {buffers / MEGA:.0f} MB; the process grew by {grown / MEGA:.0f} MB while it recorded")


def spread(with_: list[float], without: list[float]) -> str:
    """Ratios of pairs, in words."""
    ratios = [a / b for a, b in zip(with_, without, strict=True)]
    low, middle, high = quantiles(ratios, n=4, method="inclusive") if len(ratios) > 1 else ratios * 3
    return (
        f"median {middle:.4f} (quartiles {low:.4f} to {high:.4f}, all {min(ratios):.4f} to {max(ratios):.4f}), "
        f"of the runs {sum(with_) / sum(without):.4f}"
    )


def peak() -> int:
    """Bytes that the process has held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--minutes", type=float, default=5.0, help="Of recorded training; it takes twice that.")
    arguments.add_argument("--snapshots", type=int, default=10)
    arguments.add_argument("--image", type=int, default=64)
    arguments.add_argument("--batch", type=int, default=4)
    arguments.add_argument("--folder", type=Path, help="Where the file goes. Default: a temporary folder.")
    options = arguments.parse_args()
    run = Run(options.image, options.batch)
    run.train(3)
    started = time.perf_counter()
    run.train(10)
    per_step = (time.perf_counter() - started) / 10
    steps = max(1, round(CHUNK_SECONDS / per_step))
    chunks = max(1, round(60 * options.minutes / options.snapshots / per_step / steps))
    print(f"{chunks} chunks of {steps} steps of {per_step:.3f} s a segment", flush=True)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        path, before = Path(folder) / "run.h5", peak()
        with run.recorder(path).prepare() as recorder:
            buffers = recorder.memory
            times = measure(run, recorder, options.snapshots, chunks, steps)
        report(times, path, buffers, peak() - before)


if __name__ == "__main__":
    main()
