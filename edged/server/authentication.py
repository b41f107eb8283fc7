"""Authentication: the keys of every application, and access tokens that need no table.

A token holds its appid and its end and has a signature by the application's secret key: it survives a
restart, and a new secret key ends all tokens made with the old one.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from edged.clock import Clock
from edged.config.yaml_lines import parse
from edged.secret_files import SecretReader
from edged.server.replies import ApiError

MIN_KEY_LENGTH: Final = 16
CREDENTIAL: Final = "edged-serve-secrets"
_KEY = re.compile(rf"[A-Za-z0-9_-]{{{MIN_KEY_LENGTH},128}}")
READER: Final = SecretReader(
    part="serve",
    shape=_KEY,
    odd="is no key",
    copied="Copy it again.",
    file_holds="api_key and secret_key under each application's id (`edged serve --init DIR` makes one)",
)
_TOKEN_SHAPE = re.compile(r"[A-Za-z0-9._-]{1,512}")
_SECONDS = re.compile(r"\d{1,12}")
SCOPE: Final = "public brain_all_scope vis-faceverify_faceverify_h5-face-liveness vis-faceverify_FACE_V3"


@dataclass(frozen=True)
class Keys:
    """Key pair of one application. `repr` shows neither key."""

    api_key: str = field(repr=False)
    secret_key: str = field(repr=False)


class TokenRefused(Exception):
    """Refuses a token request, in the terms of OAuth.

    Args:
        error, description: text of the cloud's answer (docs/reference/face-api.md 2.2).
        status: HTTP status.
    """

    def __init__(self, error: str, description: str, status: int) -> None:
        super().__init__(error)
        self.error = error
        self.description = description
        self.status = status


class Authentication:
    """Issues and checks tokens. Holds no state but the keys.

    Args:
        keys: by appid.
        clock: wall time, for the end of tokens.
        valid_s: life of a token, seconds.
    """

    def __init__(self, keys: Mapping[str, Keys], clock: Clock, valid_s: int) -> None:
        self._keys = dict(keys)
        self._clock = clock
        self._valid_s = valid_s

    def grant(self, grant_type: str, api_key: str, secret_key: str) -> dict[str, Any]:
        """The answer to a token request. Raises TokenRefused."""
        if not grant_type:
            raise TokenRefused("unsupported_grant_type", "The authorization grant type is not supported", 400)
        if grant_type != "client_credentials":
            raise TokenRefused("unsupported_grant_type", "Unknown grant type", 404)
        if not api_key or not secret_key:
            raise TokenRefused("invalid_request", "client_id and client_secret are required", 400)
        owner = [appid for appid, keys in self._keys.items() if _same(keys.api_key, api_key)]
        if not owner:
            raise TokenRefused("invalid_client", "unknown client id", 401)
        if not _same(self._keys[owner[0]].secret_key, secret_key):
            raise TokenRefused("invalid_client", "Client authentication failed", 401)
        return {
            "access_token": self._token(owner[0]),
            "expires_in": self._valid_s,
            "scope": SCOPE,
            "refresh_token": "",
            "session_key": "",
            "session_secret": "",
        }

    def appid_of(self, token: str | None) -> str:
        """The application of a token.

        Raises:
            ApiError: 100 it has not the form of a token, 110 it is missing or not from this server, 111 it
                has expired.
        """
        if not token:
            raise ApiError(110)
        if not _TOKEN_SHAPE.fullmatch(token):
            raise ApiError(100)
        parts = token.split(".", 4)
        _, _, appid = parts[-1].partition("-")
        if len(parts) != 5 or not _SECONDS.fullmatch(parts[3]) or appid not in self._keys:
            raise ApiError(110)
        signed = ".".join([parts[0], *parts[2:]])
        if not _same(parts[1], self._signature(appid, signed)):
            raise ApiError(110)
        if int(parts[3]) <= self._clock.now().timestamp():
            raise ApiError(111)
        return appid

    def _token(self, appid: str) -> str:
        """`24.<signature>.<lifetime>.<end>.<random>-<appid>`, the parts of the cloud's own tokens."""
        end_s = int(self._clock.now().timestamp()) + self._valid_s
        tail = f"{self._valid_s}.{end_s}.{secrets.token_hex(8)}-{appid}"
        return f"24.{self._signature(appid, f'24.{tail}')}.{tail}"

    def _signature(self, appid: str, text: str) -> str:
        return hmac.new(self._keys[appid].secret_key.encode(), text.encode(), hashlib.sha256).hexdigest()


def read_keys(file: Path, appids: list[str], *, handed_over: bool = False) -> dict[str, Keys]:
    """The keys of the applications `appids` from a YAML file of `appid: {api_key: …, secret_key: …}`.

    Args:
        handed_over: the file is a systemd credential; else only its owner may be able to read it.

    Raises:
        ConfigProblems: the file is not YAML.
        Misconfigured, NeedsOperator: `serve_secrets_file`: it is missing, open to others, or has other
            content. No message shows a key.
    """
    data = parse(READER.private(file, handed_over=handed_over), str(file)).data
    found = {appid: _keys_of(data[appid], appid, file) for appid in appids if data.get(appid) is not None}
    if len({keys.api_key for keys in found.values()}) < len(found):
        raise READER.bad_file(file, "gives two applications the same api_key")
    return found


def fresh_keys() -> Keys:
    """New random keys."""
    return Keys(api_key=secrets.token_hex(16), secret_key=secrets.token_hex(32))


def _keys_of(entry: Any, appid: str, file: Path) -> Keys:
    if not isinstance(entry, dict) or set(entry) != {"api_key", "secret_key"}:
        raise READER.bad_file(file, f"has something else than api_key and secret_key for {appid}")
    for name, value in entry.items():
        if not isinstance(value, str) or not _KEY.fullmatch(value):
            raise READER.bad_file(
                file, f"gives {appid} no {name} of {MIN_KEY_LENGTH} to 128 letters and digits (in quotes)"
            )
    return Keys(**entry)


def _same(known: str, given: str) -> bool:
    return hmac.compare_digest(known.encode(), given.encode(errors="replace"))
