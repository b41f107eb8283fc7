"""What the tests of the composition share: a small site, and the promise that nothing stays behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from edged.config import Config

LONG_S = 30.0


@pytest.fixture
def small_site(tmp_path) -> Config:
    """One camera that is not there, one door with a simulated board, every part of the table at work but the
    cloud."""
    return Config.model_validate(
        {
            "data_dir": tmp_path / "data",
            "camera": {"source": "/dev/video99"},
            "gate": {"port": "sim:lcus"},
            "attendance": {"enabled": True, "direction": "key"},
            "delivery": {"targets": [{"name": "office", "kind": "http", "url": "http://127.0.0.1:9/"}]},
        }
    )


@pytest.fixture
def no_thread_stays() -> Iterator[set[threading.Thread]]:
    """Fails when a thread that the test started is alive after it. Gives the threads from before the test."""
    before = set(threading.enumerate())
    yield before
    for thread in set(threading.enumerate()) - before:
        thread.join(LONG_S)
        assert not thread.is_alive(), thread.name
