"""One POST and its answer, over `requests`, and the meaning of its status for a delivery. Knows no bodies."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import requests
import urllib3

from edged.clock import Clock
from edged.delivery.target import CONFLICT, DeliveryFailed, Refused, shortened
from edged.errors import EdgedError, NeedsOperator
from edged.http_session import causes_of, open_session, prompt_ack_adapter

MOST_ANSWER_BYTES = 256 * 1024
_WRONG_ADDRESS = (404, 405, 410, 421, 426)
_NOT_ALLOWED = (401, 403, 407)
_LATER = (408, 425, 429, 503)


@dataclass(frozen=True)
class WebAnswer:
    """Status, complete body, and the pause the receiver asks for."""

    status: int
    content: bytes
    retry_after_s: float | None = None

    def json(self) -> Any:
        """The body as JSON; None when it is no JSON."""
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            return None

    @property
    def text(self) -> str:
        """The body, shortened for a message."""
        return shortened(self.content[:2000].decode("utf-8", "replace"))


class WebCaller:
    """Posts to one address and keeps the connection. Used by one thread.

    Args:
        name: name of the target, for messages.
        ca_file: PEM of the authority; the system's without it.
        timeout_s: limit for the connection, for each wait for bytes, and for the whole body of the answer.
    """

    def __init__(self, name: str, url: str, clock: Clock, *, ca_file: Path | None, timeout_s: float) -> None:
        if ca_file is not None and not ca_file.is_file():
            raise NeedsOperator(
                f"{name}: ca_file {ca_file} is not there.",
                code="delivery_ca_file",
                hint="Put the certificate of the authority there, in PEM form.",
            )
        self._name = name
        self._url = url
        self._clock = clock
        self._timeout_s = timeout_s
        self._session = open_session(ca_file)
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, prompt_ack_adapter())

    def post(self, body: bytes, headers: Mapping[str, str]) -> WebAnswer:
        """Send `body` and read the answer, whatever its status. Does not follow redirections.

        Raises:
            DeliveryFailed: `delivery_unreachable`, `delivery_timeout`, `delivery_broken_answer`.
            NeedsOperator: `delivery_certificate`, `delivery_tls`.
        """
        try:
            with self._session.post(
                self._url,
                data=body,
                headers=dict(headers),
                timeout=self._timeout_s,
                allow_redirects=False,
                stream=True,
            ) as response:
                content = self._content(response)
                asked_s = self._pause(response.headers.get("Retry-After"))
                return WebAnswer(response.status_code, content, asked_s)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise self._meaning(error) from None  # its text holds the address, and that may hold a token

    def close(self) -> None:
        """Close the kept connection."""
        self._session.close()

    def _content(self, response: requests.Response) -> bytes:
        until_s = self._clock.monotonic() + self._timeout_s
        content = b""
        while piece := response.raw.read1(8192, decode_content=False):  # what has come, however little
            content += piece
            if len(content) > MOST_ANSWER_BYTES or self._clock.monotonic() > until_s:
                raise DeliveryFailed(
                    f"{self._name}: the answer is too long or does not end.",
                    code="delivery_broken_answer",
                    about_record=True,
                )
        return content

    def _pause(self, text: str | None) -> float | None:
        if not text:
            return None
        try:
            if text.strip().isdecimal():
                return float(text)
            date = parsedate_to_datetime(text)
            date = date if date.tzinfo else date.replace(tzinfo=UTC)
            return max(0.0, (date - self._clock.now()).total_seconds()) or None
        except (ValueError, OverflowError):
            return None

    def _meaning(self, error: BaseException) -> EdgedError:
        causes = list(causes_of(error))
        for cause in causes:
            if isinstance(cause, ssl.SSLCertVerificationError):
                return NeedsOperator(
                    f"{self._name}: the certificate of the receiver is not valid: {cause.verify_message}.",
                    code="delivery_certificate",
                    hint="Renew it there, check the clock of this box, or name its authority with ca_file.",
                )
        if any(isinstance(cause, requests.exceptions.ConnectTimeout) for cause in causes):
            return self._unreachable("no connection in time")
        if any(isinstance(cause, requests.exceptions.ReadTimeout | TimeoutError) for cause in causes):
            return DeliveryFailed(
                f"{self._name} did not answer within {self._timeout_s:g} s.",
                code="delivery_timeout",
                about_record=True,
            )
        if any(isinstance(cause, ssl.SSLError) for cause in causes):
            return NeedsOperator(
                f"{self._name}: the connection cannot be encrypted.",
                code="delivery_tls",
                hint="Check that the port is one for https, and which TLS versions the receiver speaks.",
            )
        if any(isinstance(cause, urllib3.exceptions.NewConnectionError) for cause in causes):
            return self._unreachable(_system_text(causes))
        return DeliveryFailed(
            f"{self._name} broke off the connection before its answer was complete.",
            code="delivery_broken_answer",
            about_record=True,
        )

    def _unreachable(self, why: str) -> DeliveryFailed:
        return DeliveryFailed(
            f"{self._name} cannot be reached ({why}).",
            code="delivery_unreachable",
            hint="Check the network and that the receiver runs; records wait here meanwhile.",
        )


def require_success(answer: WebAnswer, name: str) -> None:
    """Check the status of an answer; 2xx is success.

    Raises:
        DeliveryFailed: `delivery_busy` (408, 425, 429, 503), `delivery_receiver_error` (5xx).
        Refused: `delivery_conflict` (409), `delivery_refused` (other 4xx): the receiver does not want this
            record.
        NeedsOperator: `delivery_redirected`, `delivery_login` (401, 403, 407), `delivery_address` (404, …):
            no record would pass, so none becomes a dead letter.
    """
    status = answer.status
    if 200 <= status < 300:
        return
    said = f"{name} answered {status}{': ' + answer.text if answer.text else ''}."
    if status in _LATER:
        raise DeliveryFailed(said, code="delivery_busy", retry_after_s=answer.retry_after_s)
    if status >= 500 or status < 200:
        raise DeliveryFailed(
            said, code="delivery_receiver_error", about_record=True, retry_after_s=answer.retry_after_s
        )
    if status < 400:
        raise NeedsOperator(
            f"{name} answered {status}, a redirection, which is not followed.",
            code="delivery_redirected",
            hint="Set url to the final address.",
        )
    if status in _NOT_ALLOWED:
        raise NeedsOperator(said, code="delivery_login", hint="Check the key or token of the target.")
    if status in _WRONG_ADDRESS:
        raise NeedsOperator(said, code="delivery_address", hint="Check url; nothing there takes records.")
    raise Refused(said, code=CONFLICT if status == 409 else "delivery_refused")


def _system_text(causes: list[BaseException]) -> str:
    texts = [c.strerror for c in causes if isinstance(c, OSError) and isinstance(c.strerror, str)]
    return texts[-1] if texts else "no connection"
