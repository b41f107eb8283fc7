"""A token kept between runs, in a private file. Raises no errors: a token that is lost is fetched again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from edged.clock import Clock, iso
from edged.errors import EdgedError
from edged.faceapi.client.credentials import READER
from edged.faceapi.client.token_source import TokenGrant
from edged.secret_files import Secret

NAME = "cloud-token.json"

_log = structlog.get_logger(__name__)


class TokenFile:
    """`cloud-token.json`, mode 0600. Valid only for the address and the key it was fetched with.

    Two runs share only the wall clock. If it was wrong in one of them, edged may use an expired token once:
    the service refuses it and edged fetches another.
    """

    def __init__(self, folder: Path, clock: Clock, *, belongs_to: str) -> None:
        """`belongs_to`: text that changes whenever another token is necessary; the file holds only its
        hash."""
        self._path = folder / NAME
        self._clock = clock
        self._belongs_to = hashlib.sha256(belongs_to.encode()).hexdigest()[:32]

    def load(self) -> TokenGrant | None:
        """The token with its remaining life."""
        try:
            kept = json.loads(READER.private(self._path))
            ends = datetime.fromisoformat(kept["ends_at"])
            token, belongs_to, life_s = str(kept["token"]), kept["belongs_to"], float(kept["life_s"])
            left_s = (ends - self._clock.now()).total_seconds()
        except (EdgedError, ValueError, TypeError, KeyError):
            return None  # none yet, or not ours: the next one overwrites it
        if belongs_to != self._belongs_to or not 0 < left_s <= life_s:
            return None
        return TokenGrant(Secret(token), left_s)

    def save(self, grant: TokenGrant) -> None:
        """Replace the file. Does not keep a token of unknown life."""
        if grant.life_s is None:
            return
        ends = self._clock.now() + timedelta(seconds=min(grant.life_s, 10 * 365 * 86_400))
        kept = {
            "token": grant.token.reveal(),
            "ends_at": iso(ends),
            "life_s": grant.life_s,
            "belongs_to": self._belongs_to,
        }
        draft = self._path.with_name(f"{NAME}.{os.getpid()}.tmp")
        try:
            with contextlib.suppress(FileNotFoundError):
                draft.unlink()
            with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as stream:
                json.dump(kept, stream)
            draft.replace(self._path)
        except OSError as error:
            _log.warning(
                "cloud token not kept for the next start", path=str(self._path), reason=error.strerror
            )
