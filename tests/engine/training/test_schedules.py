"""Schedules against torch.optim's, where it has the same."""

from collections.abc import Callable

import pytest
import torch
from torch.optim import SGD
from torch.optim import lr_scheduler as torch_schedules

from counterstream.engine.training import Constant, Cosine, Step, multiplier

PER_EPOCH, EPOCHS = 7, 6
STEPS = PER_EPOCH * EPOCHS
Scheduler = torch_schedules.LRScheduler


def rates_of(make: Callable[[SGD], Scheduler]) -> list[float]:
    """The rate of every step under one of torch's schedulers."""
    optimizer = SGD([torch.zeros(1)], lr=1.0)
    scheduler = make(optimizer)
    rates = []
    for _ in range(STEPS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def ours(schedule: Constant | Cosine | Step, warmup: float = 0) -> list[float]:
    return [multiplier(schedule, step, steps=STEPS, steps_per_epoch=PER_EPOCH, warmup=warmup) for step in range(STEPS)]


def test_cosine() -> None:
    theirs = rates_of(lambda optimizer: torch_schedules.CosineAnnealingLR(optimizer, STEPS))
    assert ours(Cosine()) == pytest.approx(theirs, abs=1e-12)


def test_step() -> None:
    milestones = [2 * PER_EPOCH, 4 * PER_EPOCH]
    theirs = rates_of(lambda optimizer: torch_schedules.MultiStepLR(optimizer, milestones, gamma=0.2))
    assert ours(Step(milestones=(2, 4), factor=0.2)) == pytest.approx(theirs, rel=1e-12)


def test_warm_up_then_cosine() -> None:
    up = 2 * PER_EPOCH

    def make(optimizer: SGD) -> Scheduler:
        linear = torch_schedules.LinearLR(optimizer, start_factor=1 / (up + 1), total_iters=up)
        cosine = torch_schedules.CosineAnnealingLR(optimizer, STEPS - up)
        return torch_schedules.SequentialLR(optimizer, [linear, cosine], milestones=[up])

    assert ours(Cosine(), warmup=2) == pytest.approx(rates_of(make), abs=1e-12)


def test_constant_with_warm_up_of_half_an_epoch() -> None:
    assert ours(Constant(), warmup=0.5)[:6] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0, 1.0])


def test_cosine_when_all_of_it_is_warm_up() -> None:
    assert ours(Cosine(), warmup=EPOCHS)[-1] == pytest.approx(STEPS / (STEPS + 1))
