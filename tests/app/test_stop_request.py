"""Asking the daemon to stop: from threads, and from signals at any moment of the wait."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from edged.app.stop_request import StopRequest

LONG_S = 30.0


def test_the_first_reason_counts():
    request = StopRequest()
    request.ask("SIGTERM")
    request.ask("the source has ended")
    assert request.wait(0)
    assert request.reason == "SIGTERM"


def test_without_a_request_the_wait_ends_when_its_time_is_over():
    request = StopRequest()
    assert not request.wait(0)
    assert not request.wait(0.01)
    assert request.reason == ""


def test_every_thread_that_waits_hears_the_request():
    request, heard = StopRequest(), []
    threads = [threading.Thread(target=lambda: heard.append(request.wait(LONG_S))) for _ in range(3)]
    for thread in threads:
        thread.start()
    request.ask("test")
    for thread in threads:
        thread.join(LONG_S)
    assert heard == [True] * 3


@pytest.fixture
def alarm() -> Iterator[None]:
    before = signal.getsignal(signal.SIGALRM)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_a_signal_at_any_moment_of_the_wait_ends_it(alarm):
    for microseconds in range(1, 400):
        request = StopRequest()
        signal.signal(signal.SIGALRM, lambda *_, asked=request: asked.ask("SIGALRM"))
        signal.setitimer(signal.ITIMER_REAL, microseconds / 1e6)
        assert request.wait(LONG_S)
