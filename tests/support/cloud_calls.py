"""What tests of the cloud's client share: one search, how it fails, and where its token comes from."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest
from cloud_bench import API_KEY, SECRET_KEY, cloud_at, picture
from cloud_stub import TOKEN_PATH, CloudStub, ok

from edged.clock import Clock
from edged.errors import EdgedError
from edged.faceapi.client.face_cloud import FaceCloud
from edged.faceapi.client.token import TokenKeeper
from edged.faceapi.client.token_source import KeySource
from edged.faceapi.client.transport import Transport
from edged.secret_files import Secret

JPEG = picture()
FOUND = ok({"user_list": []})


def failure(cloud: FaceCloud, wait_s: float | None = None) -> EdgedError:
    """What a search raises; with `wait_s`, its deadline is that far away. The client is closed."""
    deadline_s = None if wait_s is None else time.monotonic() + wait_s
    with pytest.raises(EdgedError) as caught:
        cloud.search(JPEG, ["g"], deadline_s=deadline_s)
    cloud.close()
    return caught.value


def refused(cloud: FaceCloud) -> EdgedError:
    """What a search raises; the client can be used on."""
    with pytest.raises(EdgedError) as caught:
        cloud.search(JPEG, ["g"])
    return caught.value


def code_of(cloud: FaceCloud, wait_s: float | None = None) -> str:
    """The code of `failure`."""
    return failure(cloud, wait_s).code


def with_token(stub: CloudStub, **config: Any) -> FaceCloud:
    """A client that has its token already."""
    cloud = cloud_at(stub, **config)
    cloud.search(JPEG, ["g"])
    return cloud


def keeper_at(stub: CloudStub, clock: Clock) -> TokenKeeper:
    """A keeper that fetches its tokens from the stub."""
    transport = Transport(clock, connect_timeout_s=8, read_timeout_s=8, ca_file=None, connections=1)
    source = KeySource(transport, stub.url + TOKEN_PATH, Secret(API_KEY), Secret(SECRET_KEY))
    return TokenKeeper(source, clock)


def tokens_used(stub: CloudStub) -> list[str]:
    """The token of each call that came."""
    return [asked.query["access_token"] for asked in stub.calls]


def free_port() -> int:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]
