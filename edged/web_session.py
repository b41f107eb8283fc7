"""A session of `requests` that keeps to itself: no proxy, no cookie, no redirection, no address in a log.

Time-outs, sizes and what an answer means are its user's business.
"""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Iterator
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path

import requests

from edged import __version__

# a filter of a logger does not count for the loggers below it, so all are named
_LOGGERS_WITH_ADDRESSES = tuple(
    f"urllib3.{name}" for name in ("connectionpool", "connection", "poolmanager", "response", "util.retry")
)


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: with a target, requests would read the whole body, of any size, even without following."""


def open_session(ca_file: Path | None) -> requests.Session:
    """A session; from now on paths and queries, which may hold secrets, stay out of the logs of urllib3.

    Args:
        ca_file: PEM of the only authority that counts; None: the usual ones.
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
    """Have the kernel acknowledge the next answer at once; to be asked before every one, as it falls back to
    delaying by itself (tcp(7)). A server that sends head and body apart would wait 40 ms for it each time."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def causes_of(error: BaseException) -> Iterator[BaseException]:
    """`error` and everything it was made from, each once."""
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
