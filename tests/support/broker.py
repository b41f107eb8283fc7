"""Debian's mosquitto as a broker for tests, and a client that remembers what it hears."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
needs_mosquitto = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto (Debian package) is the broker")
DEADLINE_S = 30.0


class Broker:
    """One mosquitto on a free port of the loopback; `stop()` and `start()` as often as wanted.

    Args:
        folder: for its files; messages survive a restart when `persistent`.
        lines: of its configuration, beside the listener.
    """

    def __init__(self, folder: Path, *lines: str, persistent: bool = False) -> None:
        folder.mkdir(exist_ok=True)
        self._config = folder / "mosquitto.conf"
        self._persistent = persistent
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        given = [f"listener {self.port} 127.0.0.1", *lines]
        if os.geteuid() == 0:
            given.append("user root")  # else it becomes a user who may not use our folder
        if persistent:
            given += ["persistence true", f"persistence_location {folder}/"]
        if not any(line.startswith("allow_anonymous") for line in given):
            given.append("allow_anonymous true")
        self._config.write_text("\n".join(given) + "\n")
        self._process: subprocess.Popen | None = None
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [MOSQUITTO, "-c", str(self._config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + DEADLINE_S
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise AssertionError("mosquitto did not start")

    def stop(self) -> None:
        if self._process is not None:
            # mosquitto looks for SIGTERM ten times a second; only one that keeps messages has to end in order
            self._process.send_signal(signal.SIGTERM if self._persistent else signal.SIGKILL)
            self._process.wait(DEADLINE_S)
            self._process = None


class Listener:
    """A subscriber that remembers every message: (topic, content, retained)."""

    def __init__(self, port: int, topic: str = "#", name: str = "listener", **login: str) -> None:
        self.heard: list[tuple[str, object, bool]] = []
        self._changed = threading.Condition()
        self._subscribed = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=name, clean_session=False)
        if login:
            self._client.username_pw_set(**login)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe(topic, qos=1)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._hear
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._subscribed.wait(DEADLINE_S)

    def _hear(self, _: object, __: object, message: paho.MQTTMessage) -> None:
        try:
            content: object = json.loads(message.payload)
        except ValueError:
            content = message.payload.decode()
        with self._changed:
            self.heard.append((message.topic, content, message.retain))
            self._changed.notify_all()

    def on(self, topic: str) -> list:
        """Contents heard on a topic so far."""
        return [content for heard, content, _ in list(self.heard) if heard == topic]

    def wait_for(self, condition: Callable[[], bool], timeout_s: float = 20.0) -> bool:
        with self._changed:
            return self._changed.wait_for(condition, timeout_s)

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
