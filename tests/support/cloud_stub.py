"""The face service on a real socket: answers what it was told to, byte for byte, and keeps what it was asked.

It plays the vendor's side of the wire, so a test can let it be right, wrong, slow or gone.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from edged.clock import SystemClock

DEADLINE_S = 30.0
TOKEN_PATH = "/oauth/2.0/token"
LIFE_S = 2_592_000


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    connection: int
    arrived_s: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> Mapping[str, str]:
        return dict(parse_qsl(self.body.decode()))


Reply = bytes | Callable[[socket.socket], None]
"""Raw bytes, after which the connection stays open; or a function that does as it likes, then it closes."""


def answer(status: int, body: bytes | str, *headers: str, reason: str = "X") -> bytes:
    """An HTTP answer of the usual form."""
    data = body.encode() if isinstance(body, str) else body
    head = [f"HTTP/1.1 {status} {reason}", f"Content-Length: {len(data)}", *headers]
    return ("\r\n".join(head) + "\r\n\r\n").encode() + data


def ok(result: object = None, **more: object) -> bytes:
    """The full envelope of success."""
    envelope = {
        "error_code": 0,
        "error_msg": "SUCCESS",
        "log_id": 304592850152877661,
        "timestamp": 1545015287,
        "cached": 0,
        "result": result,
    }
    return answer(200, json.dumps(envelope | more))


def refusal(code: int | str, message: str = "no") -> bytes:
    """A business error for codes of 1000 and above, the short gateway form below."""
    short = {"error_code": code, "error_msg": message}
    long = {"log_id": 304569250154810121, "timestamp": 1545015481, "cached": 0, "result": None}
    return answer(200, json.dumps(short if isinstance(code, int) and code < 1000 else short | long))


def token(text: str = "24.token-1", expires_in: object = LIFE_S) -> bytes:
    """An answer of the token address."""
    given = {"access_token": text, "expires_in": expires_in, "scope": "public brain_all_scope"}
    return answer(200, json.dumps(given))


class CloudStub:
    """Used as a context manager. Replies are given in turn; the last one of a path is repeated."""

    def __init__(self, certificate: ssl.SSLContext | None = None) -> None:
        self._context = certificate
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._replies: dict[str, list[Reply]] = {TOKEN_PATH: [token()]}
        self._default: list[Reply] = [ok({})]
        self._changed = threading.Condition()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._closed = False
        self._port = self._listener.getsockname()[1]
        self.asked: list[Asked] = []
        self.connections = 0
        self.released = threading.Event()
        """Set when the stub closes; a reply that holds a connection waits for it."""

    @property
    def port(self) -> int:
        return self._port

    @property
    def url(self) -> str:
        return f"{'http' if self._context is None else 'https'}://127.0.0.1:{self.port}"

    @property
    def calls(self) -> list[Asked]:
        """What was asked apart from tokens."""
        return [one for one in self.asked if one.path != TOKEN_PATH]

    @property
    def token_requests(self) -> list[Asked]:
        return [one for one in self.asked if one.path == TOKEN_PATH]

    def replies(self, *replies: Reply, path: str | None = None) -> None:
        """What to answer from now on, at `path` or everywhere but at the token's."""
        with self._changed:
            if path is None:
                self._default = list(replies)
            else:
                self._replies[path] = list(replies)

    def wait_for(self, count: int) -> None:
        """Until so many requests came."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.asked) >= count, DEADLINE_S)

    def vanish(self) -> None:
        """Refuse every connection from now on, as a host does whose server is gone."""
        _hang_up(self._listener)
        self.drop_connections()

    def come_back(self) -> None:
        """Listen again at the same address."""
        self._listener = socket.create_server(("127.0.0.1", self._port))
        self._start(self._accept)

    def drop_connections(self) -> None:
        """Close every open connection, as a server that restarts does."""
        with self._changed:
            sockets, self._sockets = self._sockets, []
        for sock in sockets:
            _hang_up(sock)

    def __enter__(self) -> CloudStub:
        self._start(self._accept)
        return self

    def __exit__(self, *exc: object) -> None:
        self._closed = True
        self.released.set()
        _hang_up(self._listener)
        self.drop_connections()
        for thread in self._threads:
            thread.join(DEADLINE_S)

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closed:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._start(self._serve, sock, self.connections)

    def _serve(self, sock: socket.socket, number: int) -> None:
        try:
            if self._context is not None:
                sock = self._context.wrap_socket(sock, server_side=True)
            elif sock.recv(1, socket.MSG_PEEK) == b"\x16":  # a TLS greeting: plain servers answer in plain
                sock.sendall(answer(400, ""))
            with self._changed:
                self._sockets.append(sock)
            with sock.makefile("rb") as stream:
                while (asked := _read_request(stream, number)) is not None:
                    reply = self._next_reply(asked)
                    if callable(reply):
                        reply(sock)
                        return
                    sock.sendall(reply)
        except (OSError, ValueError):
            pass  # the client hung up, refused the certificate, or was cut off
        finally:
            _hang_up(sock)

    def _next_reply(self, asked: Asked) -> Reply:
        with self._changed:
            self.asked.append(asked)
            self._changed.notify_all()
            replies = self._replies.get(asked.path, self._default)
            return replies.pop(0) if len(replies) > 1 else replies[0]


def _read_request(stream: Any, connection: int) -> Asked | None:
    first = stream.readline().decode().split()
    if len(first) != 3:
        return None
    arrived_s = SystemClock().monotonic()
    headers = {}
    while line := stream.readline().strip().decode():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0)))
    target = urlsplit(first[1])
    return Asked(first[0], target.path, dict(parse_qsl(target.query)), headers, body, connection, arrived_s)


def _hang_up(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()
