"""The daemon with the cloud as an engine: starts without it, says what is wrong, leaves nothing behind."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import ExitStack

import pytest
from cloud_faces import FaceCloudStub
from cloud_stub import TOKEN_PATH, answer, ok
from structlog.testing import capture_logs

from edged.app.cloud_part import open_cloud
from edged.app.daemon import Daemon
from edged.bus import EventBus
from edged.clock import SystemClock
from edged.config import Config
from edged.errors import Misconfigured
from edged.events import CloudDegraded

DEADLINE_S = 60.0


def config(tmp_path, url: str, **recognition) -> Config:
    cloud = {"url": url, "connect_timeout_s": 0.3, "read_timeout_s": 0.3, **recognition.pop("cloud", {})}
    return Config.model_validate(
        {
            "data_dir": str(tmp_path),
            "camera": {"source": "demo:"},
            "gate": {"port": "sim:lcus"},
            "recognition": {**recognition, "cloud": cloud},
        }
    )


@pytest.fixture
def nowhere():
    """An address at which nobody answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return f"http://127.0.0.1:{port}"


@pytest.fixture
def key(monkeypatch):
    monkeypatch.setenv("EDGED_CLOUD_API_KEY", "ak")
    monkeypatch.setenv("EDGED_CLOUD_SECRET_KEY", "sk")


@pytest.mark.parametrize("engine", ["cloud", "hybrid"])
def test_with_the_cloud_away_the_daemon_starts_says_so_and_ends_all_its_threads(
    tmp_path, nowhere, key, engine, no_thread_stays
):
    daemon = Daemon(config(tmp_path, nowhere, engine=engine), SystemClock())
    degraded = threading.Event()
    daemon.bus.subscribe(CloudDegraded, lambda event: degraded.set(), name="test")
    daemon.start()
    try:
        for _ in range(3):  # so many failures in a row open the circuit
            with pytest.raises(Exception, match=r"(?i)cloud"):
                daemon.cloud.client.group_getlist()
        assert degraded.wait(DEADLINE_S)
    finally:
        daemon.stop()


def test_the_token_is_fetched_before_anybody_comes(tmp_path, key):
    with FaceCloudStub() as cloud:
        daemon = Daemon(config(tmp_path, cloud.url, engine="cloud"), SystemClock())
        daemon.start()
        try:
            cloud.wait_for(1)
            assert cloud.asked[0].path == TOKEN_PATH
        finally:
            daemon.stop()


def test_a_refused_key_does_not_keep_the_daemon_from_starting_and_is_announced_before_anybody_comes(
    tmp_path, key
):
    unknown = {"error": "invalid_client", "error_description": "unknown client id"}
    with FaceCloudStub() as cloud:
        cloud.replies(answer(401, json.dumps(unknown)), path=TOKEN_PATH)
        daemon = Daemon(config(tmp_path, cloud.url, engine="hybrid"), SystemClock())
        degraded, said = [], threading.Event()
        daemon.bus.subscribe(CloudDegraded, degraded.append, name="test")
        daemon.bus.subscribe(CloudDegraded, lambda event: said.set(), name="heard")
        daemon.start()
        try:
            assert said.wait(DEADLINE_S)
        finally:
            daemon.stop()
        assert [(e.call, e.code, e.needs_operator) for e in degraded] == [("*", "cloud_api_key", True)]


def test_what_the_cloud_was_asked_is_said_when_the_way_to_it_is_closed(tmp_path, key):
    with FaceCloudStub() as cloud, capture_logs() as said, ExitStack() as stack:
        cloud.trouble = lambda asked: ok({"group_id_list": []})
        clock = SystemClock()
        link = open_cloud(config(tmp_path, cloud.url, engine="cloud"), EventBus(clock), clock, stack)
        link.client.group_getlist()
        link.governor.saved(3)
        stack.close()
    (line,) = (one for one in said if one["event"] == "cloud_calls")
    assert (line["saved"], line["group_getlist"]["today"]) == (3, 1)


def test_without_a_key_the_daemon_does_not_start(tmp_path, nowhere, monkeypatch, no_thread_stays):
    for name in ("EDGED_CLOUD_API_KEY", "EDGED_CLOUD_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(Misconfigured):
        Daemon(config(tmp_path, nowhere, engine="cloud"), SystemClock()).start()


def test_with_the_engine_of_this_box_alone_nothing_leaves_it(tmp_path, key):
    with FaceCloudStub() as cloud:
        daemon = Daemon(config(tmp_path, cloud.url, engine="local"), SystemClock())
        daemon.start()
        assert daemon.cloud is None
        daemon.stop()
        assert cloud.connections == 0
