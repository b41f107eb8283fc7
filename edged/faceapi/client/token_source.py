"""Sources of a token: the application's keys, the operator's own server, or a given token. No cache here.

`token.py` decides how long to use a token and when to ask for one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from edged.errors import EdgedError, Misconfigured, NeedsOperator, RetryLater
from edged.faceapi.client.credentials import Secrets
from edged.faceapi.client.transport import HttpAnswer, Transport
from edged.faceapi.envelope import http_error, read_object
from edged.faceapi.reading import bad_answer
from edged.secret_files import Secret

_TOKEN_SHAPE = re.compile(r"[\x21-\x7e]{1,1024}")


@dataclass(frozen=True)
class TokenGrant:
    """A token as received; `life_s` is None if its life is unknown."""

    token: Secret
    life_s: float | None


class TokenSource(Protocol):
    """Gives tokens."""

    def fetch(self) -> TokenGrant:
        """Ask for a token.

        Raises:
            Misconfigured, NeedsOperator: a key or address is wrong.
            RetryLater: the other side is away, slow, or answers something strange.
        """
        ...


class KeySource:
    """Asks the service for a token with the key pair of the application (docs/reference/face-api.md 2.1)."""

    def __init__(self, transport: Transport, url: str, api_key: Secret, secret_key: Secret) -> None:
        self._transport = transport
        self._url = url
        self._api_key = api_key
        self._secret_key = secret_key

    def fetch(self) -> TokenGrant:
        """Send the keys in the body, so that no log on the way holds them."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self._api_key.reveal(),
            "client_secret": self._secret_key.reveal(),
        }
        return read_grant(self._transport.send("POST", self._url, form=form))


class UrlSource:
    """Asks the operator's own server, which keeps the keys to itself."""

    def __init__(self, transport: Transport, url: str) -> None:
        self._transport = transport
        self._url = url

    def fetch(self) -> TokenGrant:
        """GET the address of the configuration."""
        return read_grant(self._transport.send("GET", self._url))


class GivenSource:
    """Takes the token from the secrets; reads it again each time, because the operator may have replaced
    it."""

    def __init__(self, load: Callable[[], Secrets]) -> None:
        self._load = load

    def fetch(self) -> TokenGrant:
        """Read the secrets again."""
        token = self._load().token
        if token is None:
            raise Misconfigured(
                "recognition.cloud.auth is token, but no token is given.",
                code="cloud_secret",
                hint="Set EDGED_CLOUD_TOKEN, the systemd credential cloud_token, or token in secrets_file.",
            )
        return TokenGrant(token, None)


def read_grant(answer: HttpAnswer) -> TokenGrant:
    """The token in the answer of a token address.

    Raises:
        Misconfigured: `cloud_api_key`, `cloud_secret_key`: refused.
        NeedsOperator: `cloud_token_url`: this address does not give tokens.
        RetryLater: `cloud_http_…`, `cloud_bad_answer`.
    """
    try:
        whole = read_object(answer.content)
    except RetryLater as error:
        raise _no_json(answer.status, error) from None
    if "error" in whole or "error_description" in whole:
        raise _refusal(whole)
    if answer.status != 200:
        raise _no_json(answer.status, bad_answer("it holds no token"))
    token = whole.get("access_token")
    if not isinstance(token, str) or not _TOKEN_SHAPE.fullmatch(token):
        raise bad_answer("it holds no access_token")
    return TokenGrant(Secret(token), _life_s(whole.get("expires_in")))


def _life_s(value: object) -> float | None:
    if value is None:
        return None
    life_s = math.nan
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        with suppress(ValueError, OverflowError):
            life_s = float(value)
    if not (math.isfinite(life_s) and life_s > 0):
        raise bad_answer("its expires_in is no number of seconds")
    return life_s


def _no_json(status: int, otherwise: RetryLater) -> EdgedError:
    """404, or a web page, mean a wrong address (docs/reference/face-api.md 2.2)."""
    if status >= 500 or status in (408, 429):
        return http_error(status)
    if status == 200 and "HTML" not in otherwise.message:
        return otherwise
    return NeedsOperator(
        f"Where a token should be given is something else (HTTP {status}).",
        code="cloud_token_url",
        hint="Check recognition.cloud.url or token_url letter by letter: a blank, comma or slash at its end "
        "does this, and so does the sign-in page of a network.",
    )


_REFUSALS = (
    (
        "invalid_client",
        "unknown client",
        "cloud_api_key",
        "The face cloud does not know the API key.",
        "Copy the API Key of the application again (EDGED_CLOUD_API_KEY or its other places).",
    ),
    (
        "invalid_client",
        "",
        "cloud_secret_key",
        "The face cloud does not accept the secret key of this API key.",
        "Copy the Secret Key again; both keys must be of the same application.",
    ),
    (
        "invalid_request",
        "",
        "cloud_api_key",
        "The face cloud misses a key in the request for a token.",
        "Check that neither key is empty.",
    ),
)


def _refusal(whole: Mapping[str, Any]) -> EdgedError:
    """An OAuth error (docs/reference/face-api.md 2.2). The description is compared, never repeated."""
    kind, description = str(whole.get("error", "")), str(whole.get("error_description", "")).lower()
    for known, part, code, message, hint in _REFUSALS:
        if kind == known and part in description:
            return Misconfigured(message, code=code, hint=hint)
    named = kind if re.fullmatch(r"[a-z_]{1,40}", kind) else "an error"
    return NeedsOperator(
        f"The face cloud gives no token: {named}.",
        code="cloud_token_refused",
        hint="Check in the console that the application exists and may use the face API.",
    )
