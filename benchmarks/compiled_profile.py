"""What a compiled training step of ResNet-18 spends its time on, ours and plain PyTorch's: convolutions, and all else.

    python benchmarks/compiled_profile.py [--size 64] [--batch 16] [--steps 4]

One thread, the CPU. Says how much is left that a compiler, or a program handed to it whole, could save: convolutions
are the same calls of oneDNN on both sides.
"""

import argparse

import torch
from torch._inductor import config
from torch.profiler import ProfilerActivity, profile

from counterstream.bench import plan
from counterstream.bench.contenders import batch_of, contender

CONVOLUTIONS = ("aten::convolution_backward", "aten::mkldnn_convolution")
WARM_UP = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("size", 64), ("batch", 16), ("steps", 4)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    torch.set_num_threads(1)
    config.cpp.enable_kernel_profile = True
    chosen = plan("resnet18", learning=["backprop"], engines=["inductor"], batch=given.batch, size=given.size)
    print("| contender | convolutions, % | all else, % | ms a step |\n|---|---|---|---|")
    for name in ("compiled", "backprop/inductor"):
        one = contender(chosen, name, batch_of(chosen))
        for _ in range(WARM_UP):
            one.step()
        with profile(activities=[ProfilerActivity.CPU]) as seen:
            for _ in range(given.steps):
                one.step()
        times = {event.key: event.self_cpu_time_total for event in seen.key_averages()}
        whole, convolved = sum(times.values()), sum(times[key] for key in CONVOLUTIONS)
        share = 100 * convolved / whole
        print(f"| {name} | {share:.0f} | {100 - share:.0f} | {whole / given.steps / 1e3:.0f} |")


if __name__ == "__main__":
    main()
