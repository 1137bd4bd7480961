"""What a terminal shows of a run and what a log keeps of it."""

import io
from pathlib import Path
from typing import Any

from rich.console import Console

from counterstream.cli.display import Display
from counterstream.engine.training import EpochReport, RunName, StepReport

from .clocks import Clock

RUN = RunName(system="kolen_pollack", seed=0, path=Path("kolen_pollack-seed0.h5"))


def shown(clock: Clock, *, terminal: bool = False) -> tuple[Display, io.StringIO]:
    text = io.StringIO()
    screen = Console(file=text, force_terminal=terminal, width=200, highlight=False, markup=False)
    return Display(screen, clock), text


def after(step: int, **more: Any) -> StepReport:
    figures = {"loss": 2.0, "accuracy": 0.5, "images_per_second": 1234.0} | more
    return StepReport(step=step, steps=900, steps_per_epoch=10, **figures)


def test_a_line_says_all_that_was_measured() -> None:
    clock = Clock()
    display, text = shown(clock)
    with display:
        display.run_started(RUN, 3, 10, 90)
        display.step_finished(RUN, after(0))
        clock.wait(60)
        display.step_finished(
            RUN, after(15, top5_accuracy=0.75, data_wait_share=0.031, matrix_angle=12.4, delta_angle=20.2)
        )  # 1.5 epochs in 60 s: 88.5 more in 3540 s, and seven runs of an hour
    assert text.getvalue() == (
        "[ 3/10] kolen_pollack, seed 0: epoch 1.50/90, loss 2.000, top-1 50.0%, top-5 75.0%, 1,234 images/s, "
        "data wait 3%, matrix angle 12°, delta angle 20°, 59 min left, 7 h 59 min for all runs\n"
    )


def test_what_was_not_measured_is_left_out() -> None:
    clock = Clock()
    display, text = shown(clock)
    display.run_started(RUN, 1, 1, 90)
    clock.wait(20)
    report = EpochReport(
        step=10, epoch=1, epochs=90, loss=1.0, accuracy=0.25, images_per_second=5.0, validation_accuracy=0.5,
        validation_top5_accuracy=0.9,
    )  # fmt: skip
    display.epoch_finished(RUN, report)
    assert text.getvalue() == (
        "[1/1] kolen_pollack, seed 0: epoch 1/90, loss 1.000, top-1 25.0%, validation 50.0%, validation top-5 90.0%, "
        "5 images/s\n"
    )


def test_lines_become_rarer_as_a_run_goes_on() -> None:
    clock = Clock()
    display, text = shown(clock)
    display.run_started(RUN, 1, 1, 90)
    hours = []
    for _ in range(6):
        before = len(text.getvalue().splitlines())
        for _ in range(3600):
            clock.wait(1)
            display.step_finished(RUN, after(1))
        hours.append(len(text.getvalue().splitlines()) - before)
    assert 30 < hours[0] < 100
    assert hours[-1] == 12


def test_a_log_has_the_end_of_every_long_epoch() -> None:
    """However lately it had a line from within one: the validation is said nowhere else."""
    clock = Clock()
    display, text = shown(clock)
    display.run_started(RUN, 1, 1, 90)
    for epoch in range(1, 6):
        clock.wait(1200)
        display.step_finished(RUN, after(epoch * 10 - 1))
        clock.wait(1)
        display.epoch_finished(
            RUN, EpochReport(step=10 * epoch, epoch=epoch, epochs=90, loss=1.0, accuracy=0.5, images_per_second=5.0)
        )
    assert [f"epoch {epoch}/90" in text.getvalue() for epoch in range(1, 6)] == [True] * 5


def test_a_terminal_keeps_the_ends_of_long_epochs_and_of_runs() -> None:
    clock = Clock()
    display, text = shown(clock, terminal=True)
    with display:
        display.run_started(RUN, 1, 1, 90)
        for epoch, seconds in ((1, 10), (2, 10), (3, 90)):
            clock.wait(seconds)
            display.step_finished(RUN, after(epoch * 10))
            display.epoch_finished(
                RUN,
                EpochReport(step=10 * epoch, epoch=epoch, epochs=90, loss=1.0, accuracy=0.5, images_per_second=5.0),
            )
        display.run_finished(RUN, 0.75, 110.0)
    kept = [line for line in text.getvalue().splitlines() if "[1/1] kolen_pollack, seed 0:" in line]
    assert len(kept) == 1
    assert "epoch 3/90" in kept[0]
    assert "test accuracy  75.00%" in text.getvalue()
