"""A session of `requests` that keeps to itself: no proxy, no cookie, no redirection, no address in a log.

Time-outs, sizes and the meaning of an answer belong to the callers. Everything edged uses of urllib3 that
urllib3 does not promise to keep stands here and nowhere else; tests/test_http_session.py names what is gone
when a new release drops it.
"""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Callable, Iterator, Sequence
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.response import HTTPResponse

from edged import __version__

# a filter of a logger does not count for the loggers below it, so all are named
_LOGGERS_WITH_ADDRESSES = tuple(
    f"urllib3.{name}" for name in ("connectionpool", "connection", "poolmanager", "response", "util.retry")
)


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: with a target, requests would read the whole body, of any size, even without following."""


def open_session(ca_file: Path | None) -> requests.Session:
    """A session. From now on paths and queries, which may hold secrets, stay out of the logs of urllib3.

    Args:
        ca_file: PEM of the only authority that counts; None: the system's.
    """
    _keep_addresses_out_of_logs()
    session = _Session()
    session.trust_env = False  # no proxy and no .netrc password by accident
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.verify = True if ca_file is None else str(ca_file)
    session.headers.clear()
    session.headers.update(
        {
            "User-Agent": f"edged/{__version__}",
            "Accept": "application/json",
            # packed answers could unpack to any size, and answers are small
            "Accept-Encoding": "identity",
        }
    )
    return session


def acknowledge_at_once(sock: socket.socket) -> None:
    """Have the kernel acknowledge the next answer at once. Call it before every answer: the kernel falls back
    to delaying by itself (tcp(7)), and a server that sends head and body apart then waits 40 ms each time."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


SocketOption = tuple[int, int, int | bytes]
"""Arguments of `socket.setsockopt`."""


class OwnSocketConnection(HTTPConnection):
    """A connection that opens its socket itself. Subclasses implement `open_socket`.

    For TLS, inherit also from `HTTPSConnection`: the greeting then goes over the socket opened here.
    """

    def open_socket(self, host: str, port: int, options: Sequence[SocketOption]) -> socket.socket:
        """A connected socket to `host`, a name or a number without brackets, with `options` set."""
        raise NotImplementedError

    def _new_conn(self) -> socket.socket:
        options = [(level, name, value) for level, name, value in self.socket_options or ()]
        return self.open_socket(self.host.strip("[]"), self.port or self.default_port, options)


class OwnConnectionsAdapter(HTTPAdapter):
    """Mounted in a session of `requests`, makes connections of the caller's kind. Repeats nothing.

    Args:
        plain: makes a connection for http; called with the arguments of urllib3's `HTTPConnection`.
        secure: the same for https.
        hosts: for so many hosts connections are kept.
        connections: so many are kept for each.
    """

    def __init__(
        self,
        plain: Callable[..., HTTPConnection],
        secure: Callable[..., HTTPSConnection],
        *,
        hosts: int = 4,
        connections: int = 10,
    ) -> None:
        class Plain(HTTPConnectionPool):
            ConnectionCls = staticmethod(plain)  # type: ignore[assignment]  # urllib3 only ever calls it

        class Secure(HTTPSConnectionPool):
            ConnectionCls = staticmethod(secure)  # type: ignore[assignment]  # as above

        self._pool_classes = {"http": Plain, "https": Secure}
        super().__init__(pool_connections=hosts, pool_maxsize=connections, max_retries=0)

    def init_poolmanager(self, *args: Any, **keywords: Any) -> None:
        """Called by requests, also after unpickling."""
        super().init_poolmanager(*args, **keywords)
        self.poolmanager.pool_classes_by_scheme = self._pool_classes


class _Prompt(HTTPConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3 itself does
        if self.sock is not None:
            acknowledge_at_once(self.sock)
        return super().getresponse()


class _SecurePrompt(_Prompt, HTTPSConnection):
    pass


def prompt_ack_adapter() -> OwnConnectionsAdapter:
    """An adapter whose connections have the kernel acknowledge every answer at once.

    Many small servers (Python's http.server among them) write the head and the body of an answer one after
    the other. Their kernel keeps the body back until the head is acknowledged, and the kernel here waits
    40 ms with that, so one record a request would be 20 a second.
    """
    return OwnConnectionsAdapter(_Prompt, _SecurePrompt)


def causes_of(error: BaseException) -> Iterator[BaseException]:
    """`error` and everything it wraps or follows from, each once."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop(0)
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]


class _WithoutAddresses(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = re.sub(r"/[^\s\"')]*", "/***", record.getMessage())
        record.args = ()
        record.exc_info = None
        return True


def _keep_addresses_out_of_logs() -> None:
    for name in _LOGGERS_WITH_ADDRESSES:
        logger = logging.getLogger(name)
        if not any(isinstance(one, _WithoutAddresses) for one in logger.filters):
            logger.addFilter(_WithoutAddresses())
