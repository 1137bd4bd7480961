"""Processes that work for another end with it, however that ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import counterstream
from counterstream.engine.data.fractals import Plan, write

READING = """
import multiprocessing, sys, time
import numpy as np
from counterstream.engine.data import Draw
from counterstream.engine.data.images.imagenet import ImageNet

data = ImageNet(folder=sys.argv[1], size=12, workers=2).load()
endless = (Draw(epoch, np.arange(6)) for epoch in range(10_000))
with data.train.stream(endless, seed=0, device="cpu") as batches:
    next(batches)
    print(*(child.pid for child in multiprocessing.active_children()), flush=True)
    time.sleep(600)
"""
SERVED = """
import os, signal, sys, time
import numpy as np
from multiprocessing import forkserver
from counterstream.engine.data import Draw
from counterstream.engine.data.images.imagenet import ImageNet

data = ImageNet(folder=sys.argv[1], size=12, workers=1).load()
endless = (Draw(epoch, np.arange(6)) for epoch in range(10_000))
with data.train.stream(endless, seed=0, device="cpu") as batches:
    next(batches)
    server = forkserver._forkserver._forkserver_pid
    os.kill(server, signal.SIGTERM)
    time.sleep(0.5)
    with data.test.chunks(np.arange(2), 1, device="cpu") as others:
        next(others)
    next(batches)
assert forkserver._forkserver._forkserver_pid == server
os.kill(os.getpid(), signal.SIGTERM)
"""
SHARING = """
import multiprocessing, time
from counterstream.engine.data.parallel import in_order

for _ in in_order(abs, range(10**9), 2):
    print(*(child.pid for child in multiprocessing.active_children()), flush=True)
    time.sleep(600)
"""


def lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.slow
@pytest.mark.parametrize("parent", [READING, SHARING], ids=["reading", "sharing"])
def test_workers_end_with_a_parent_that_was_killed(tmp_path: Path, parent: str) -> None:
    write(tmp_path / "fractals", Plan(classes=2, train=6, val=1, size=16), workers=1)
    command = [sys.executable, "-c", parent, str(tmp_path / "fractals")]
    where = Path(counterstream.__file__).parent
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=where) as process:
        assert process.stdout is not None
        workers = [int(word) for word in process.stdout.readline().split()]
        assert len(workers) == 2
        assert all(map(lives, workers))
        process.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 15
    while any(map(lives, workers)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(lives, workers))


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="this system has no fork server")
def test_the_end_of_a_jobs_time_ends_the_trainer_and_not_what_starts_its_workers(tmp_path: Path) -> None:
    write(tmp_path / "fractals", Plan(classes=2, train=6, val=1, size=16), workers=1)
    command = [sys.executable, "-c", SERVED, str(tmp_path / "fractals")]
    where = Path(counterstream.__file__).parent
    done = subprocess.run(command, capture_output=True, text=True, cwd=where, check=False)
    assert done.returncode == -signal.SIGTERM, done.stderr
