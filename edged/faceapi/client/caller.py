"""The steps of one call: token, turn, request, envelope, reply; repeated once with another token.

The governor, behind `Admission`, waits and counts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TypeVar

from edged.clock import Clock
from edged.config import CloudConfig
from edged.errors import EdgedError, Misconfigured, TryAnotherShot
from edged.faceapi.calls import Call
from edged.faceapi.client.credentials import Secrets, load_secrets
from edged.faceapi.client.token import TokenKeeper
from edged.faceapi.client.token_file import TokenFile
from edged.faceapi.client.token_source import GivenSource, KeySource, TokenSource, UrlSource
from edged.faceapi.client.transport import Transport
from edged.faceapi.endpoint import Endpoint, checked_url, endpoint_from
from edged.faceapi.envelope import open_envelope
from edged.faceapi.faults import CloudReauth
from edged.faceapi.governor.admission import Admission
from edged.faceapi.inconclusive import ConnectionLost
from edged.faceapi.reading import Answer
from edged.secret_files import Secret

R = TypeVar("R")


class Caller:
    """Makes calls. Safe to use from several threads."""

    def __init__(
        self, endpoint: Endpoint, transport: Transport, tokens: TokenKeeper | None, admission: Admission
    ) -> None:
        """`tokens`: None on a private server, which knows none."""
        self._endpoint = endpoint
        self._transport = transport
        self._tokens = tokens
        self._admission = admission

    def ask(self, call: Call, body: object, read: Callable[[Answer], R], deadline_s: float | None) -> R:
        """Make `call` with `body` as JSON and read its reply.

        If the service refuses the token, or a kept connection turns out to be closed, the call asks for
        admission again and is repeated once with another token or connection.

        Raises:
            EdgedError: see `FaceCloud`.
        """
        attempt = partial(
            self._attempt, call, self._endpoint.url(call), self._encoded(body), read, deadline_s
        )
        token = self._token(call, deadline_s)
        try:
            return attempt(token)
        except ConnectionLost:
            again = token
        except CloudReauth as error:
            again = self._another(call, token, error, deadline_s)
        try:
            return attempt(again)
        except CloudReauth as error:
            raise self._admission.failed(call, error) from None

    def warm_up(self) -> None:
        """Fetch the token and renew it early from now on. The governor hears of a failure, as one of
        `search`, so that it announces wrong keys before the first person comes.

        Raises:
            EdgedError: see `TokenSource.fetch`.
        """
        if self._tokens is not None:
            self._tokens.start()
            self._token(Call.SEARCH, None)

    def close(self) -> None:
        """Stop renewing the token, close the connections."""
        if self._tokens is not None:
            self._tokens.close()
        self._transport.close()

    def _attempt(
        self,
        call: Call,
        url: str,
        body: bytes,
        read: Callable[[Answer], R],
        deadline_s: float | None,
        token: Secret | None,
    ) -> R:
        self._admission.admit(call, deadline_s)
        hidden = () if token is None else (token,)
        query = self._endpoint.query(token)
        try:
            answer = self._transport.send("POST", url, query=query, json_body=body, deadline_s=deadline_s)
            reply = read(open_envelope(answer.status, answer.content, call, *hidden))
        except CloudReauth:
            raise  # the governor hears of it once another token has been tried
        except EdgedError as error:
            raise self._admission.failed(call, error) from None
        self._admission.succeeded(call)
        return reply

    def _token(self, call: Call, deadline_s: float | None) -> Secret | None:
        # Before admission: else all calls that wait for a token would be sent the moment it comes.
        if self._tokens is None:
            return None
        try:
            return self._tokens.token(deadline_s)
        except EdgedError as error:
            raise self._admission.failed(call, error) from None

    def _another(
        self, call: Call, refused: Secret | None, refusal: CloudReauth, deadline_s: float | None
    ) -> Secret:
        """Another token than the refused one. The governor has heard of any error raised instead."""
        another = None
        if self._tokens is not None and refused is not None:
            try:
                another = self._tokens.replace(refused, deadline_s)
            except EdgedError as error:
                raise self._admission.failed(call, error) from None
        if another is None:
            raise self._admission.failed(call, refusal) from None
        self._admission.succeeded(call)  # the service answers; a token that ended is no fault of the call
        return another

    def _encoded(self, body: object) -> bytes:
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
        if len(content) > self._endpoint.most_bytes:
            raise TryAnotherShot(
                f"The request to the face cloud was not sent: it has {len(content)} bytes; "
                f"{self._endpoint.most_bytes} are the most.",
                code="cloud_request_picture_size",
                hint="Send fewer or smaller pictures.",
            )
        return content


def build_caller(
    config: CloudConfig,
    clock: Clock,
    *,
    governor: Admission,
    data_dir: Path | None,
    environ: Mapping[str, str] | None = None,
) -> Caller:
    """See `build_client`. `environ`: None: the environment of this process."""
    endpoint = endpoint_from(config)
    transport = Transport(
        clock,
        connect_timeout_s=config.connect_timeout_s,
        read_timeout_s=config.read_timeout_s,
        ca_file=config.ca_file,
        connections=config.workers + 2,
    )
    tokens = None
    if config.dialect == "online":
        load = partial(load_secrets, config.secrets_file, os.environ if environ is None else environ)
        tokens = _token_keeper(config, endpoint, transport, load, clock, data_dir)
    return Caller(endpoint, transport, tokens, governor)


def _token_keeper(
    config: CloudConfig,
    endpoint: Endpoint,
    transport: Transport,
    load: Callable[[], Secrets],
    clock: Clock,
    data_dir: Path | None,
) -> TokenKeeper:
    source: TokenSource
    if config.auth == "token":
        source = GivenSource(load)
        source.fetch()  # report a missing token at the start
        return TokenKeeper(source, clock)
    if config.auth == "token_url":
        url = checked_url(config.token_url or "", "token_url", query=True)
        source, belongs_to = UrlSource(transport, url), url
    else:
        api_key, secret_key = _key_pair(load())
        source = KeySource(transport, endpoint.token_url, api_key, secret_key)
        belongs_to = " ".join((endpoint.token_url, api_key.reveal(), secret_key.reveal()))
    store = None if data_dir is None else TokenFile(data_dir, clock, belongs_to=belongs_to)
    return TokenKeeper(source, clock, store)


def _key_pair(secrets: Secrets) -> tuple[Secret, Secret]:
    if secrets.api_key is None or secrets.secret_key is None:
        missing = "api_key" if secrets.api_key is None else "secret_key"
        raise Misconfigured(
            f"recognition.cloud.auth is key, but no {missing} is given.",
            code="cloud_secret",
            hint=f"Set EDGED_CLOUD_{missing.upper()}, the systemd credential cloud_{missing}, "
            f"or {missing} in secrets_file.",
        )
    return secrets.api_key, secrets.secret_key
