"""How training tells of itself: from within epochs, not too often, to several listeners."""

import math
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterstream.engine.training import (
    EpochReport,
    OutputFolder,
    RunName,
    Silent,
    StepReport,
    Together,
    progress,
    run_experiment,
)
from counterstream.engine.training.progress import Pulse

from .small import prepared

RUN = RunName(system="backprop", seed=0, path=Path("backprop-seed0.h5"))


class Hearing(Silent):
    def __init__(self) -> None:
        self.heard: list[StepReport] = []

    def step_finished(self, run: RunName, report: StepReport) -> None:
        self.heard.append(report)


@given(st.lists(st.tuples(st.floats(0.01, 3), st.floats(0, 2), st.floats(-5, 5)), min_size=1, max_size=60))
def test_reports_come_each_second_and_lose_no_step(steps: list[tuple[float, float, float]]) -> None:
    """Of each step: its seconds, those it waited, its loss."""
    now, hearing = 0.0, Hearing()
    pulse = Pulse(hearing, RUN, steps=60, steps_per_epoch=6, clock=lambda: now)
    times, done = [0.0], 0
    for number, (seconds, waited, loss) in enumerate(steps, start=1):
        now += seconds + waited
        before = len(hearing.heard)
        pulse.step(number, loss=loss, accuracy=0.5, images=4, seconds=seconds, waited=waited)
        if len(hearing.heard) > before:
            times.append(now)
            told, done = steps[done:number], number
            report = hearing.heard[-1]
            elapsed = sum(seconds + waited for seconds, waited, _ in told)
            assert report.loss == pytest.approx(sum(loss for *_, loss in told) / len(told), abs=1e-9)
            assert report.images_per_second == pytest.approx(4 * len(told) / elapsed)
            assert report.data_wait_share == pytest.approx(sum(waited for _, waited, _ in told) / elapsed, abs=1e-9)
            assert report.epoch == pytest.approx(number / 6)
    assert all(later - earlier >= 1 - 1e-9 for earlier, later in pairwise(times))
    assert now - times[-1] < 1 or done == len(steps)


def test_reports_become_rarer_as_a_run_goes_on() -> None:
    now, hearing = 0.0, Hearing()
    pulse = Pulse(hearing, RUN, steps=1, steps_per_epoch=1, clock=lambda: now)
    counts = []
    for _ in range(3):
        before = len(hearing.heard)
        for _ in range(1000):
            now += 1.0
            pulse.step(1, loss=1.0, accuracy=0.5, images=1, seconds=1.0)
        counts.append(len(hearing.heard) - before)
    assert counts[0] > 200
    assert counts[1:] == [100, 100]


def test_waiting_that_was_not_measured_is_not_told() -> None:
    now, hearing = 0.0, Hearing()
    pulse = Pulse(hearing, RUN, steps=4, steps_per_epoch=2, clock=lambda: now)
    for step, waited in ((1, 0.5), (2, None), (3, 0.5)):
        now += 0.5 if step == 1 else 2.0
        pulse.step(step, loss=1.0, accuracy=math.nan, images=8, seconds=0.5, waited=waited)
    assert [report.data_wait_share for report in hearing.heard] == [None, 0.5]
    assert hearing.heard[0].images_per_second == pytest.approx(16)  # by the seconds that are known


def test_several_hear_the_same_in_their_order() -> None:
    said: list[str] = []

    class Saying(Silent):
        def __init__(self, name: str) -> None:
            self.name = name

        def run_started(self, run: RunName, number: int, runs: int, epochs: int) -> None:
            said.append(f"{self.name} started {number}/{runs} of {epochs}")

        def step_finished(self, run: RunName, report: StepReport) -> None:
            said.append(f"{self.name} step {report.step}")

        def epoch_finished(self, run: RunName, report: EpochReport) -> None:
            said.append(f"{self.name} epoch {report.epoch}")

        def run_finished(self, run: RunName, accuracy: float, seconds: float) -> None:
            said.append(f"{self.name} finished {accuracy} {seconds}")

        def noted(self, text: str) -> None:
            said.append(f"{self.name} {text}")

    both = Together(Saying("a"), Saying("b"))
    both.run_started(RUN, 1, 2, 3)
    figures = {"loss": 1.0, "accuracy": 0.5, "images_per_second": 1.0}
    both.step_finished(RUN, StepReport(step=7, steps=9, steps_per_epoch=3, **figures))
    both.epoch_finished(RUN, EpochReport(step=6, epoch=2, epochs=3, **figures))
    both.run_finished(RUN, 0.5, 9.0)
    both.noted("heard")
    lines = ("started 1/2 of 3", "step 7", "epoch 2", "finished 0.5 9.0", "heard")
    assert said == [f"{name} {line}" for line in lines for name in "ab"]


def test_a_run_tells_of_its_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LONGEST_INTERVAL", 0.0)
    hearing = Hearing()
    run_experiment(
        prepared(tmp_path, learning="kolen_pollack", epochs="2"), OutputFolder(tmp_path / "out"), progress=hearing
    )
    assert [report.step for report in hearing.heard] == list(range(1, 11))
    assert {report.steps for report in hearing.heard} == {10}
    assert hearing.heard[4].epoch == 1.0
    assert hearing.heard[-1].loss < hearing.heard[0].loss
    assert all(report.matrix_angle is not None and 0 < report.matrix_angle < 180 for report in hearing.heard)
