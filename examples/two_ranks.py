"""Two processes share a model: each takes half of every batch, both learn from all of it.

torchrun --nproc-per-node 2 examples/two_ranks.py
"""

from datetime import timedelta

import numpy as np
from torch import distributed

import counterstream as cs
from counterstream.engine import Ranks
from counterstream.engine.data import digits, training_batches

distributed.init_process_group("gloo", timeout=timedelta(seconds=60))  # on GPUs: "nccl"
ranks = Ranks()  # with synchronise=True, batch statistics are over both halves: two processes learn what one would
data = digits()
circuit = cs.load("digits_resnet", learning="kolen_pollack")
sim = cs.compile(circuit, consolidation=cs.Consolidation(rate=0.05, momentum=0.9), ranks=ranks)
for epoch in range(4):
    for indices in training_batches(len(data.train), 64, seed=0, epoch=epoch):
        batch = data.train.take(np.array_split(indices, ranks.size)[ranks.rank])
        metrics = sim.step(batch.images, batch.labels)  # means over both halves
    sim.check_in_step()  # do both hold the same, to the last bit?
    if ranks.rank == 0:
        print(f"epoch {epoch + 1}: loss {metrics['loss']:.3f}, test {sim.evaluate(data.test.images, data.test.labels)}")
distributed.destroy_process_group()
