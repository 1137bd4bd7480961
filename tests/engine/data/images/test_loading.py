"""Processes that read images end with the one that trains, however that ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import counterstream

TRAINER = """
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


def lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_workers_end_with_a_trainer_that_was_killed(folder: Path) -> None:
    command = [sys.executable, "-c", TRAINER, str(folder)]
    where = Path(counterstream.__file__).parent
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=where) as trainer:
        assert trainer.stdout is not None
        workers = [int(word) for word in trainer.stdout.readline().split()]
        assert len(workers) == 2
        assert all(map(lives, workers))
        trainer.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 15
    while any(map(lives, workers)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(lives, workers))
