"""The token in use: cached, renewed early, fetched once for everybody who waits. How it is asked for is in
`grant.py`, where it is kept between runs in `token_file.py`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import BaseScheduler

from edged.clock import Clock
from edged.errors import EdgedError, RetryLater
from edged.recognition.cloud.budget import timed_out
from edged.recognition.cloud.grant import Grant, TokenSource
from edged.recognition.cloud.secrets import Secret

CHECK_S = 600
"""How often it is looked whether the token should be renewed."""

EARLY_SHARE = 0.1
EARLY_S = 86_400.0
"""Renewed with less than this share, or less than this time, of its life left (face API reference 2.3)."""

FORCED_GAP_S = 10.0
"""A token that is refused is replaced at most this often, however many calls it fails."""

HOLD_BUSY_S = 1.0
HOLD_WRONG_S = 120.0
"""After a failure nobody asks again for this time: the other side is busy (doubled with each failure, up to
the longer time), or a person must act (2.2)."""

_log = structlog.get_logger(__name__)


class TokenStore(Protocol):
    """Keeps a token between runs."""

    def load(self) -> Grant | None:
        """The kept token with the life it has left; None: nothing useful is kept."""
        ...

    def save(self, grant: Grant) -> None:
        """Keep this one from now on."""
        ...


@dataclass(frozen=True)
class _Held:
    token: Secret
    life_s: float | None
    until_s: float | None  # monotonic: setting the clock does not touch it

    def left_s(self, now_s: float) -> float:
        return float("inf") if self.until_s is None else self.until_s - now_s

    def is_due(self, now_s: float) -> bool:
        if self.life_s is None:
            return False
        early_s = max(EARLY_SHARE * self.life_s, min(EARLY_S, self.life_s / 2))
        return self.left_s(now_s) < early_s


class TokenKeeper:
    """Gives the token to everybody who calls. Safe to use from several threads."""

    def __init__(self, source: TokenSource, clock: Clock, store: TokenStore | None = None) -> None:
        self._source = source
        self._clock = clock
        self._store = store
        self._fetching = threading.Lock()
        self._held: _Held | None = None
        self._was_kept = False
        self._failure: EdgedError | None = None
        self._failed_until_s = 0.0
        self._failures = 0
        self._forced_s: float | None = None
        self._scheduler: BaseScheduler | None = None
        self._job_id = f"cloud-token-{id(self):x}"
        self._own_scheduler = False

    def token(self, deadline_s: float | None = None) -> Secret:
        """The token, fetched first when there is none or its life is over.

        Raises:
            EdgedError: see `TokenSource.fetch`; RetryLater: `cloud_timeout` when the deadline comes first.
        """
        held = self._held
        if held is not None and held.left_s(self._clock.monotonic()) > 0:
            return held.token
        with self._one_at_a_time(deadline_s):
            held = self._held  # somebody else may have fetched it meanwhile
            if held is not None and held.left_s(self._clock.monotonic()) > 0:
                return held.token
            return (self._kept() or self._fetch(deadline_s)).token

    def replace(self, refused: Secret, deadline_s: float | None = None) -> Secret | None:
        """Another token than `refused`, which the server did not accept.

        Returns:
            None: there is no other one, or one was fetched for the same reason just now.

        Raises:
            EdgedError: as `token`.
        """
        with self._one_at_a_time(deadline_s):
            held = self._held
            if held is not None and held.token != refused:
                return held.token
            now_s = self._clock.monotonic()
            if self._forced_s is not None and now_s - self._forced_s < FORCED_GAP_S:
                return None
            self._forced_s = now_s
            fresh = self._fetch(deadline_s)
            return fresh.token if fresh.token != refused else None

    def renew_if_due(self) -> None:
        """Fetch another token if the present one nears its end. A failure is logged: it still serves."""
        held = self._held
        if held is None or not held.is_due(self._clock.monotonic()):
            return
        try:
            with self._one_at_a_time(None):
                if self._held is held:
                    self._fetch(None)
        except EdgedError as error:
            _log.warning(
                "cloud token not renewed yet", code=error.code, reason=error.message, hint=error.hint
            )

    def start(self, scheduler: BaseScheduler | None = None) -> None:
        """Renew early from now on.

        Args:
            scheduler: runs the job; None: one of our own, which `close` ends.
        """
        if self._scheduler is not None:
            return
        self._own_scheduler = scheduler is None
        self._scheduler = scheduler or BackgroundScheduler(timezone="UTC")
        self._scheduler.add_job(
            self.renew_if_due,
            "interval",
            seconds=CHECK_S,
            id=self._job_id,
            coalesce=True,
            misfire_grace_time=None,
        )
        if self._own_scheduler:
            self._scheduler.start()

    def close(self) -> None:
        """Stop renewing. Waits for a renewal that is under way."""
        scheduler, self._scheduler = self._scheduler, None
        if scheduler is None:
            return
        if self._own_scheduler:
            scheduler.shutdown(wait=True)
        else:
            scheduler.remove_job(self._job_id)

    @contextmanager
    def _one_at_a_time(self, deadline_s: float | None) -> Iterator[None]:
        wait_s = -1.0 if deadline_s is None else max(0.0, deadline_s - self._clock.monotonic())
        if not self._fetching.acquire(timeout=wait_s):
            raise timed_out("waiting for a token")
        try:
            yield
        finally:
            self._fetching.release()

    def _kept(self) -> _Held | None:
        """The token of an earlier run, tried once."""
        if self._store is None or self._was_kept:
            return None
        self._was_kept = True
        grant = self._store.load()
        return self._hold(grant) if grant is not None else None

    def _fetch(self, deadline_s: float | None) -> _Held:
        now_s = self._clock.monotonic()
        if self._failure is not None and now_s < self._failed_until_s:
            raise type(self._failure)(self._failure.message, code=self._failure.code, hint=self._failure.hint)
        try:
            grant = self._source.fetch(deadline_s)
        except EdgedError as error:
            self._failures += 1
            hold_s = HOLD_WRONG_S
            if isinstance(error, RetryLater):
                hold_s = min(HOLD_WRONG_S, HOLD_BUSY_S * 2 ** min(self._failures - 1, 10))
            self._failure, self._failed_until_s = error, self._clock.monotonic() + hold_s
            raise
        self._failure, self._failures = None, 0
        held = self._hold(grant)
        if self._store is not None:
            self._store.save(grant)
        return held

    def _hold(self, grant: Grant) -> _Held:
        now_s = self._clock.monotonic()
        until_s = None if grant.life_s is None else now_s + grant.life_s
        self._held = _Held(grant.token, grant.life_s, until_s)
        return self._held
