"""Does it pay to mirror layers of equal shape in one grouped convolution rather than in a call each?

    python benchmarks/mirror_grouped.py [--rounds 11]

What a mirror step observes of a layer: the answer to a batch of noise, and the correlation of the two. `grouped` stacks
the weights at each step, since they move; its noise is drawn as one array. Medians of alternated rounds, one thread.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median

import torch

aten = torch.ops.aten


@dataclass(frozen=True)
class Layers:
    """3x3 kernels of equal shape, as a mirror for 8 degrees meets them."""

    name: str
    count: int
    maps: int
    channels: int
    side: int


CASES = (
    Layers("digits_resnet, stage 1", 4, 5, 12, 8),
    Layers("digits_resnet, stage 2", 3, 42, 24, 4),
    Layers("digits_resnet, stage 3", 3, 356, 48, 2),
    Layers("a quarter of resnet18 at 8 px, stage 1", 4, 7, 16, 8),
    Layers("a quarter of resnet18 at 8 px, stage 3", 3, 474, 64, 2),
    Layers("a quarter of resnet18 at 8 px, stage 4", 3, 342, 128, 1),
    Layers("resnet18 at 224 px, stage 1", 4, 1, 64, 56),
    Layers("resnet18 at 224 px, stage 3", 3, 16, 256, 14),
)


def observe(noise: torch.Tensor, weight: torch.Tensor, groups: int = 1) -> torch.Tensor:
    """The correlation of noise with the answer to it."""
    settings = ([1, 1], [1, 1], [1, 1], False, [0, 0], groups)
    answer = torch.convolution(noise, weight, None, *settings)
    shown: torch.Tensor = aten.convolution_backward.default(
        answer, noise, weight, None, *settings, [False, True, False]
    )[1]
    return shown


def each(noise: list[torch.Tensor], weights: list[torch.Tensor]) -> list[torch.Tensor]:
    return [observe(*one) for one in zip(noise, weights, strict=True)]


def grouped(noise: torch.Tensor, weights: list[torch.Tensor]) -> list[torch.Tensor]:
    return list(observe(noise, torch.cat(weights), len(weights)).chunk(len(weights)))


def measured(case: Layers, rounds: int) -> tuple[float, float]:
    """Milliseconds of a call each, and the median ratio of the grouped call to it."""
    noise = [torch.randn(case.maps, case.channels, case.side, case.side) for _ in range(case.count)]
    weights = [torch.randn(case.channels, case.channels, 3, 3) for _ in range(case.count)]
    ways = (partial(each, noise, weights), partial(grouped, torch.cat(noise, 1), weights))
    for one, other in zip(*(way() for way in ways), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-3 * float(one.abs().max()))
    repeats = max(1, int(0.02 / seconds(ways[0], 1)))
    times = [tuple(seconds(way, repeats) for way in ways) for _ in range(rounds)]
    return 1e3 * median(one for one, _ in times), median(other / one for one, other in times)


def seconds(way: Callable[[], object], repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        way()
    return (time.perf_counter() - start) / repeats


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=11)
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print("| layers | how many | maps | a call each, ms | grouped over that |\n|---|---|---|---|---|")
    with torch.no_grad():
        for case in CASES:
            alone, ratio = measured(case, given.rounds)
            print(f"| {case.name} | {case.count} | {case.maps} | {alone:.2f} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
