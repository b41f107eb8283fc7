"""Addresses of the calls in a dialect, and the query that names the library. Sends nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from edged.config import CloudConfig
from edged.errors import Misconfigured
from edged.faceapi.calls import Call
from edged.secret_files import Secret

ONLINE_PREFIX = "/rest/2.0/face/"
PRIVATE_PREFIX = "/face-api/v3/"
TOKEN_PATH = "/oauth/2.0/token"
ONLINE_MOST_BYTES = 10 * 1024 * 1024  # docs/reference/face-api.md 6.1
PRIVATE_MOST_BYTES = 8 * 1024 * 1024  # docs/reference/face-api.md 9


@dataclass(frozen=True)
class Endpoint:
    """Address of one service.

    Attributes:
        root: `https://HOST[:PORT][/PATH]` without a slash at the end.
        dialect: selects the table of paths.
        appid: names the library; private dialect only.
    """

    root: str
    dialect: Literal["online", "private"]
    appid: str

    @property
    def token_url(self) -> str:
        """Address that gives a token for the application's keys."""
        return self.root + TOKEN_PATH

    @property
    def most_bytes(self) -> int:
        """Largest body of a request."""
        return ONLINE_MOST_BYTES if self.dialect == "online" else PRIVATE_MOST_BYTES

    def url(self, call: Call) -> str:
        """Address of a call, without its query.

        Raises:
            Misconfigured: `cloud_request_call`: a private server does not have it.
        """
        if self.dialect == "online":
            return self.root + ONLINE_PREFIX + call.value.online
        if call.value.private is None:
            raise Misconfigured(
                f"A private server has no call {call.title}.",
                code="cloud_request_call",
                hint="Use search instead, or set recognition.cloud.dialect to online.",
            )
        return self.root + PRIVATE_PREFIX + call.value.private

    def query(self, token: Secret | None) -> Mapping[str, str]:
        """The query of every call: the token, or on a private server the library."""
        return {"appid": self.appid} if token is None else {"access_token": token.reveal()}


def endpoint_from(config: CloudConfig) -> Endpoint:
    """The endpoint that the configuration names.

    Raises:
        Misconfigured: `cloud_url`.
    """
    return Endpoint(checked_url(config.url, "url").rstrip("/"), config.dialect, config.appid)


def checked_url(url: str, key: str, *, query: bool = False) -> str:
    """`url` if requests can be sent there.

    Args:
        url: address from the configuration.
        key: its key below `recognition.cloud`, for messages.
        query: allow a query.

    Raises:
        Misconfigured: `cloud_url`; the message leaves the address out, because it may hold a secret.
    """
    try:
        parts = urlsplit(url)
        port_ok = parts.port is None or parts.port > 0
    except ValueError:
        raise _bad_url(key, "is not an address") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_ok:
        raise _bad_url(key, "is not http://HOST or https://HOST")
    if parts.username is not None or parts.password is not None:
        raise _bad_url(key, "holds a name or password")
    if parts.fragment or (parts.query and not query) or any(c.isspace() for c in url):
        raise _bad_url(key, "holds a query, a # or a blank")
    return url


def _bad_url(key: str, what: str) -> Misconfigured:
    return Misconfigured(
        f"recognition.cloud.{key} {what}.",
        code="cloud_url",
        hint="Write for example https://aip.baidubce.com or http://192.168.0.1:8300.",
    )
