"""Ctrl-C while something else is done: it waits for the next pause, and is never lost."""

import signal

import pytest

from counterstream.cli.pausing import Pausing


def test_it_waits_for_the_next_pause() -> None:
    with Pausing() as pausing:
        signal.raise_signal(signal.SIGINT)  # as in the middle of a read: nothing happens yet
        with pytest.raises(KeyboardInterrupt):
            pausing.sleep(60)


def test_a_second_one_strikes_at_once() -> None:
    with Pausing():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_it_leaves_the_handler_that_was() -> None:
    before = signal.getsignal(signal.SIGINT)
    with Pausing() as pausing:
        pausing.sleep(0)
        assert signal.getsignal(signal.SIGINT) != before
    assert signal.getsignal(signal.SIGINT) == before
