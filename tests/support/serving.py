"""A running recognition server for tests: a real socket, the real engine, libraries in a temporary folder."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from edged.clock import Clock, SystemClock
from edged.config.serve import ServeConfig
from edged.server.authentication import Keys, fresh_keys
from edged.server.running import RecognitionServer
from edged.server.vision_worker import FaceNetworks, warm_networks

DEADLINE_S = 60.0


class SpareNetworks:
    """Networks of servers that have ended, for the next ones: building and warming a set takes a second.

    Networks belong to one thread at a time, so a set is handed out to one worker and comes back when its
    server has ended.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spare: list[FaceNetworks] = []

    @contextmanager
    def lending(self) -> Iterator[Callable[[], FaceNetworks]]:
        """A function that lends a set until the block ends."""
        lent: list[FaceNetworks] = []

        def lend() -> FaceNetworks:
            with self._lock:
                networks = self._spare.pop() if self._spare else None
            lent.append(networks or warm_networks())
            return lent[-1]

        yield lend
        with self._lock:
            self._spare += lent


_SPARE = SpareNetworks()


@dataclass
class Serving:
    """Where the server is and how to get in.

    Attributes:
        url: e.g. `http://127.0.0.1:40123`.
        keys: by appid.
        data_dir: of the libraries; start another server with it to see what survives.
    """

    url: str
    keys: dict[str, Keys]
    data_dir: Path
    server: RecognitionServer
    _tokens: dict[str, str] = field(default_factory=dict)

    def token(self, appid: str = "default") -> str:
        """An access token, asked for once."""
        if appid not in self._tokens:
            keys = self.keys[appid]
            fields = {
                "grant_type": "client_credentials",
                "client_id": keys.api_key,
                "client_secret": keys.secret_key,
            }
            answer = requests.post(f"{self.url}/oauth/2.0/token", params=fields, timeout=DEADLINE_S)
            self._tokens[appid] = answer.json()["access_token"]
        return self._tokens[appid]

    def call(self, path: str, body: Any, appid: str = "default") -> dict[str, Any]:
        """The answer to one online call, e.g. `call("v3/search", {…})`."""
        return requests.post(
            f"{self.url}/rest/2.0/face/{path}",
            params={"access_token": self.token(appid)},
            json=body,
            timeout=DEADLINE_S,
        ).json()

    def private(self, path: str, body: Any, appid: str = "default") -> dict[str, Any]:
        """The answer to one private call, e.g. `private("face/identify", {…})`."""
        return requests.post(
            f"{self.url}/face-api/v3/{path}", params={"appid": appid}, json=body, timeout=DEADLINE_S
        ).json()


@contextmanager
def serving(
    data_dir: Path,
    *,
    apps: list[dict[str, Any]] | None = None,
    keys: Mapping[str, Keys] | None = None,
    clock: Clock | None = None,
    **settings: Any,
) -> Iterator[Serving]:
    """Run a server in a thread of this process, on a free port of 127.0.0.1, until the block ends.

    Args:
        data_dir: of the libraries.
        apps: sections of `apps:`; one named `default`, private calls included, when None.
        keys: by appid; fresh ones when None.
        clock: the system's when None.
        settings: further keys of serve.yaml; `limits` and `tls` as dictionaries.
    """
    apps = apps if apps is not None else [{"id": "default", "private": True}]
    config = ServeConfig.model_validate({"port": 0, "data_dir": data_dir, "apps": apps, **settings})
    keys = dict(keys) if keys is not None else {app.id: fresh_keys() for app in config.apps}
    with _SPARE.lending() as lend:
        server = RecognitionServer(config, keys, clock or SystemClock(), make_networks=lend)
        server.start()
        listening = threading.Event()
        thread = threading.Thread(target=server.serve, args=(listening.set,), name="serving", daemon=True)
        thread.start()
        try:
            assert listening.wait(DEADLINE_S), "the server does not listen"
            yield Serving(server.address, keys, data_dir, server)
        finally:
            server.ask_to_stop()
            thread.join(DEADLINE_S)
            assert not thread.is_alive(), "the server does not stop"
