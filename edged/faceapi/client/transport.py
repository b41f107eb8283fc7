"""One HTTP request and its answer, over `requests`: bounded in time and size, no redirections, no secrets in
messages. Does not interpret the answer.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import requests
import urllib3
from urllib3.connection import HTTPSConnection

from edged.clock import Clock
from edged.errors import EdgedError, Misconfigured, NeedsOperator, RetryLater
from edged.faceapi.client.deadline import Budget, BudgetSocket, CurrentBudget, Resolver, connect
from edged.faceapi.inconclusive import ConnectionLost
from edged.faceapi.reading import bad_answer
from edged.http_session import (
    OwnConnectionsAdapter,
    OwnSocketConnection,
    SocketOption,
    causes_of,
    open_session,
)

MOST_ANSWER_BYTES = 8 * 1024 * 1024
"""A thousand ids are 50 kB; 20 faces with all points and crops stay below this."""

_CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True)
class HttpAnswer:
    """Status and complete body."""

    status: int
    content: bytes


class Transport:
    """Sends requests and keeps connections for the next ones. Safe to use from several threads."""

    def __init__(
        self,
        clock: Clock,
        *,
        connect_timeout_s: float,
        read_timeout_s: float,
        ca_file: Path | None,
        connections: int,
    ) -> None:
        if ca_file is not None and not ca_file.is_file():
            raise Misconfigured(
                f"recognition.cloud.ca_file {ca_file} is not there.",
                code="cloud_ca_file",
                hint="Put the certificate of the authority there, in PEM form.",
            )
        self._clock = clock
        self._connect_s = connect_timeout_s
        self._read_s = read_timeout_s
        self._current = CurrentBudget()
        self._session = open_session(ca_file)
        adapter = _adapter(self._current, connections)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def send(
        self,
        method: str,
        url: str,
        *,
        query: Mapping[str, str] | None = None,
        json_body: bytes | None = None,
        form: Mapping[str, str] | None = None,
        deadline_s: float | None = None,
    ) -> HttpAnswer:
        """Send one request and read its whole answer, whatever its HTTP status is.

        Args:
            url: without a query.
            query: added to the address; may hold a secret.
            json_body: sent as application/json.
            form: sent as application/x-www-form-urlencoded; may hold secrets.
            deadline_s: monotonic time at which to give up, in any case.

        Raises:
            RetryLater: `cloud_timeout`, `cloud_dns`, `cloud_unreachable`, `cloud_bad_answer` (broken off, too
                long, packed); `ConnectionLost` when a kept connection turns out to be closed.
            NeedsOperator: `cloud_certificate`, `cloud_tls`.
        """
        budget = Budget(self._clock, self._connect_s, self._read_s, deadline_s)
        budget.check()
        headers = {"Content-Type": "application/json"} if json_body is not None else {}
        request: dict[str, Any] = {
            "params": query,
            "data": form if json_body is None else json_body,
            "headers": headers,
        }
        self._current.value = budget
        try:
            with self._session.request(
                method, url, stream=True, allow_redirects=False, **request
            ) as response:
                return HttpAnswer(response.status_code, _content(response))
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            failure = _meaning(error, budget)
        finally:
            self._current.value = None
        # raised out here, without the cause: its text holds the address with the token
        raise failure

    def close(self) -> None:
        """Close the kept connections."""
        self._session.close()


class _PlainConnection(OwnSocketConnection):
    """Keeps to the budget of the request it serves."""

    def __init__(self, *args: Any, current: CurrentBudget, resolver: Resolver, **more: Any) -> None:
        super().__init__(*args, **more)
        self._current = current
        self._resolver = resolver
        self._requests = 0

    def open_socket(self, host: str, port: int, options: Sequence[SocketOption]) -> socket.socket:
        return connect(host, port, self._current.get(), self._resolver, options)

    def connect(self) -> None:
        super().connect()
        # http.client and urllib3 use no more of a socket than this one offers
        self.sock = BudgetSocket(self.sock, self._current)
        self._requests = 0
        self._current.get().reused = False
        self._current.get().begin_answer()

    def request(self, *args: Any, **more: Any) -> None:
        budget = self._current.get()
        budget.reused = self.sock is not None and self._requests > 0
        budget.begin_answer()
        super().request(*args, **more)  # connects first when the connection was closed
        self._requests += 1


class _SecureConnection(_PlainConnection, HTTPSConnection):
    pass


def _adapter(current: CurrentBudget, connections: int) -> OwnConnectionsAdapter:
    shared: dict[str, Any] = {"current": current, "resolver": Resolver()}
    return OwnConnectionsAdapter(
        partial(_PlainConnection, **shared), partial(_SecureConnection, **shared), connections=connections
    )


def _content(response: requests.Response) -> bytes:
    if response.headers.get("Content-Encoding", "identity").lower() not in ("identity", ""):
        raise bad_answer("it is packed, which was not asked for")
    content = bytearray()
    for chunk in response.raw.stream(_CHUNK_BYTES, decode_content=False):
        content += chunk
        if len(content) > MOST_ANSWER_BYTES:
            raise bad_answer(f"it is longer than {MOST_ANSWER_BYTES} bytes")
    return bytes(content)


def _meaning(error: Exception, budget: Budget) -> EdgedError:
    causes = list(causes_of(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _bad_certificate(cause)
    if any(isinstance(cause, TimeoutError | urllib3.exceptions.TimeoutError) for cause in causes):
        return budget.over("greeting the server (TLS)")
    if any(isinstance(c, ssl.SSLError) and not isinstance(c, ssl.SSLEOFError) for c in causes):
        return NeedsOperator(
            "The face cloud's server does not speak TLS as expected.",
            code="cloud_tls",
            hint="Check whether recognition.cloud.url should begin with http:// and which port it names.",
        )
    if budget.received:
        return bad_answer("it breaks off or is no HTTP")
    kind = ConnectionLost if budget.reused else RetryLater
    return kind(
        "The face cloud closed the connection without an answer.",
        code="cloud_unreachable",
        hint="The server may be restarting; if it goes on, look at its log.",
    )


def _bad_certificate(error: ssl.SSLCertVerificationError) -> NeedsOperator:
    return NeedsOperator(
        f"The certificate of the face cloud's server is not accepted: {error.verify_message}.",
        code="cloud_certificate",
        hint="Check this box's clock, recognition.cloud.url and ca_file. Somebody may be in between: "
        "never switch the check off.",
    )
