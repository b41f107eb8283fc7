"""A receiver that sends head and body of its answers apart need not wait for a late acknowledgement."""

from __future__ import annotations

import socket
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from edged.clock import SystemClock
from edged.delivery.http_client import WebCaller


class TwoPieces(BaseHTTPRequestHandler):
    """As the standard library does it: the head is written, then the body."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url():
    server = ThreadingHTTPServer(("127.0.0.1", 0), TwoPieces)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()
    thread.join()


def test_answers_are_acknowledged_at_once(url):
    """tcp(7): the kernel says itself whether it is in that mode.

    By its own choice it leaves it after the first answer for good. On a busy machine it may also leave it
    before a single answer, when it sends the request later than it is told to.
    """
    modes: list[int] = []

    def look(response: requests.Response, **_: object) -> None:
        modes.append(response.raw.connection.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK))

    with closing(WebCaller("office", url, SystemClock(), ca_file=None, timeout_s=30.0)) as caller:
        caller._session.hooks["response"].append(look)
        for _ in range(20):
            assert caller.post(b"{}", {}).content == b"ok"
    assert sum(modes) >= 5
