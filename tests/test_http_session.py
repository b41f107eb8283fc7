"""The canary for what edged uses of urllib3 beyond its promises: a release that drops it fails here first."""

from __future__ import annotations

import socket
from contextlib import closing, suppress

import pytest
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from edged.http_session import OwnConnectionsAdapter, OwnSocketConnection, open_session

GONE = (
    f"urllib3 {urllib3.__version__} has no {{}} any more. edged/http_session.py rests on it: without it "
    "requests have no total time limit. Adapt that file, or pin urllib3 below this release in pyproject.toml."
)


@pytest.mark.parametrize("connection", [HTTPConnection, HTTPSConnection])
@pytest.mark.parametrize("name", ["_new_conn", "default_port", "socket_options"])
def test_a_connection_of_urllib3_still_has(connection, name):
    assert hasattr(connection("127.0.0.1", 1), name), GONE.format(f"{connection.__name__}.{name}")


@pytest.mark.parametrize("pool", [HTTPConnectionPool, HTTPSConnectionPool])
def test_a_pool_still_makes_connections_of_a_class_that_can_be_replaced(pool):
    assert hasattr(pool, "ConnectionCls"), GONE.format(f"{pool.__name__}.ConnectionCls")


def test_a_pool_manager_still_chooses_pools_by_scheme():
    assert set(urllib3.PoolManager().pool_classes_by_scheme) == {"http", "https"}, GONE.format(
        "PoolManager.pool_classes_by_scheme"
    )


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_request_still_goes_over_the_socket_we_opened(scheme):
    """The attributes may stay and lose their meaning: only a request shows that urllib3 asks for them."""
    asked: list[tuple[str, int]] = []

    class Plain(OwnSocketConnection):
        def open_socket(self, host, port, options):
            asked.append((host, port))
            ours, theirs = socket.socketpair()
            theirs.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
            theirs.shutdown(socket.SHUT_WR)
            self.peer = theirs
            return ours

    class Secure(Plain, HTTPSConnection):
        pass

    session = open_session(None)
    session.mount(f"{scheme}://", OwnConnectionsAdapter(Plain, Secure))
    no_tls = [OSError] if scheme == "https" else []
    with closing(session), suppress(*no_tls), session.get(f"{scheme}://[::1]:81/", timeout=30) as answer:
        assert answer.status_code == 204
    assert asked[:1] == [("::1", 81)], GONE.format("use for a connection's own socket")
